/** Activations of 16 bits: products are quantized, and what moves values; the file means the same in onnxruntime. */
import { expect, test } from 'vitest'
import { openEngine } from '../../../lib/calibrate/engine.js'
import type { ConstantTensor } from '../../../lib/graph/graph.js'
import { floatsOf } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { quantize } from '../../../lib/quantize/index.js'
import { openReference, reference } from '../../models/reference.js'
import { fileOf, samplesOf, variedNet } from '../model.js'

const settings = [
  { preset: 'a16w8' },
  { activations: { type: 'uint16', symmetric: true } },
  { weights: { type: 'int4' }, activations: { type: 'int16', symmetric: true, levels: 'narrow' } },
] as const

async function made(options: (typeof settings)[number]) {
  const float = fileOf(variedNet())
  const result = await quantize(float, { data: samplesOf(8), ...options })
  return { ...result, float: (await readModel(float)).graph, written: (await readModel(result.model)).graph }
}

test.each(settings)('%o', async (options) => {
  const { written, report, float, model } = await made(options)
  const type = 'preset' in options ? 'int16' : options.activations.type
  expect(report.products).toMatchObject({ integer: 3, total: 3 })
  expect(new Set(report.values.map((value) => value.type))).toEqual(new Set([type]))
  const stored = written.nodes
    .filter(({ opType }) => opType === 'QuantizeLinear')
    .map(({ inputs }) => written.constants.get(inputs[2] ?? '')?.dtype)
  expect(new Set(stored)).toEqual(new Set([type]))
  const reasons = report.float.map(({ opType, reason }) => `${opType}: ${reason}`)
  expect(reasons).toContain('HardSwish: steps between products have no integers of 16 bits')
  expect(report.warnings.filter((text) => text.includes('exceed int32'))).toEqual([])

  const samples = samplesOf(1).map(({ x }) => x)
  const dims = samples.flatMap((t) => [...t.dims])
  const [values = new Float32Array(0)] = samples.map((t) => t.data as Float32Array)
  const x: ConstantTensor = {
    dtype: 'float32',
    dims,
    data: new Uint8Array(values.slice().buffer),
  }
  const [mine, real] = await Promise.all(
    [written, float].map(async (g) => {
      const engine = await openEngine(g)
      const { y } = (await engine.run({ x })) as { readonly y: ConstantTensor }
      engine.release()
      return floatsOf(y).slice()
    }),
  )
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.max(...Array.from(a, (v, i) => Math.abs(v - (b[i] as number))))
  const least = 'weights' in options ? 0.3 : 0.02
  expect(apart(mine ?? [], real ?? [])).toBeLessThan(least * Math.max(...(real ?? []).map(Math.abs)))
  if (!reference) return
  const session = await openReference(model)
  const { y } = await session.run({ x: { type: 'float32', data: floatsOf(x), dims } })
  await session.release()
  // A rounding that falls the other way moves a product by one of 65,536 levels.
  expect(apart(mine ?? [], y?.data as Float32Array)).toBeLessThan(2e-3)
})
