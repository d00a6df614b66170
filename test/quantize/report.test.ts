/** The report, and the files of a whole quantization. */
import { expect, it } from 'vitest'
import { reportOf } from '../../lib/quantize/report.js'
import { runStages, stages } from '../../lib/quantize/stages.js'
import { Tensor } from '../../lib/session/tensor.js'
import { residualNet } from './graphs.js'
import { begun } from './record.js'

async function report(biasCorrection: boolean) {
  const data = [0, 1, 2].map((k) => ({
    x: new Tensor(
      'float32',
      Float32Array.from({ length: 192 }, (_, i) => Math.sin(i + k)),
      [1, 3, 8, 8],
    ),
  }))
  const progress: string[] = []
  const start = begun(
    residualNet(),
    { biasCorrection },
    {
      data,
      onProgress: ({ phase, done, total }) => progress.push(`${phase} ${done}/${total}`),
    },
  )
  const done = await runStages(start)
  return { report: reportOf(done, { float: 4096, quantized: 2048 }), progress }
}

it('says what became integer, what did not and why, and how everything is quantized', async () => {
  const { report: all, progress } = await report(true)
  expect(all.samples).toBe(3)
  expect(all.integer.map((n) => n.opType).join()).toBe(
    'Conv,Relu,Conv,Add,Relu,GlobalAveragePool,Flatten,Gemm',
  )
  expect(all.float).toEqual([
    { node: 'Softmax:y', opType: 'Softmax', reason: 'does not lie between two integer products' },
  ])
  expect(all.values.map((v) => v.name)).toEqual(['x', 'r1', 'c2', 'r2', 'p'])
  for (const { low, high, scale, zeroPoint, seen, type } of all.values) {
    expect([type, (high - low) / scale]).toEqual(['int8', expect.closeTo(255, 6)])
    expect((-128 - zeroPoint) * scale).toBeCloseTo(low, 9)
    expect(seen && seen.min <= seen.mean && seen.mean <= seen.max && seen.deviation > 0).toBe(true)
  }
  expect(all.weights.map((w) => [w.name, w.node, w.scales])).toEqual([
    ['w1', 'Conv:c1', 4],
    ['w2', 'Conv:c2', 4],
    ['w3', 'Gemm:g', 5],
  ])
  for (const w of all.weights) expect(w.smallestScale).toBeLessThanOrEqual(w.largestScale)
  expect(all.biasCorrection).toEqual({ samples: 3, layers: 3 })
  expect(all.warnings).toEqual([
    'only 3 samples calibrate; expected at least 8 that vary as inputs do in use',
  ])
  const phases = ['calibrate', 'weights', 'bias', 'check']
  expect(progress).toEqual(phases.flatMap((phase) => [1, 2, 3].map((k) => `${phase} ${k}/3`)))
})

it('has no line for a correction that was not asked for', async () => {
  expect((await report(false)).report).not.toHaveProperty('biasCorrection')
})

it('every stage has a name of its own, and the order is that of the record', () => {
  const names = stages.map((s) => s.name)
  expect(names).toEqual([
    'prepare',
    'equalize',
    'assign',
    'ranges',
    'scales',
    'round',
    'write',
    'correct',
    'check',
  ])
})
