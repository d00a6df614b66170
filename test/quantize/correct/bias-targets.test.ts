/** Which biases can be corrected, and what the corrected graph holds. */
import { expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { numbersOf } from '../../../lib/graph/tensor.js'
import type { BiasTarget } from '../../../lib/quantize/correct/bias-target.js'
import { biasTargets, withCorrections } from '../../../lib/quantize/correct/bias-targets.js'
import { runStages, stages } from '../../../lib/quantize/stages.js'
import { Tensor } from '../../../lib/session/tensor.js'
import { graph, node, noise, numbers } from '../graphs.js'
import { begun } from '../record.js'

async function written(float: Graph) {
  const dims = float.types.get('x')?.shape as number[]
  const data = [
    {
      x: new Tensor(
        'float32',
        Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
        dims,
      ),
    },
  ]
  const start = begun(float, {}, { data })
  const done = await runStages(
    start,
    stages.filter((s) => s.name !== 'correct'),
  )
  if (!done.quantized) throw new Error('nothing was written')
  return { qdq: done.quantized.graph, targets: biasTargets(done, done.quantized) }
}

const sharedBias = graph({
  inputs: { x: [1, 2, 4, 4] },
  outputs: ['y'],
  nodes: [node('c = Conv(x, w, b)'), node('r = Relu(c)'), node('d = Conv(r, w, b)'), node('y = Conv(d, w)')],
  constants: { w: noise(2, 2, 1, 1), b: numbers([0.5, -0.5]) },
})

it('integer biases of convolutions, those that were added for it too; bounds are what follows', async () => {
  const { targets } = await written(sharedBias)
  expect(targets.map((t) => [t.floatValue, t.value, t.bounds.map((n) => n.opType).join()])).toEqual([
    ['r', 'c', 'Relu'],
    ['d', 'd', ''],
    ['y', 'y', ''],
  ])
})

it('a correction is rounded to steps of the accumulator, and is in the constant afterwards', async () => {
  const { qdq, targets } = await written(sharedBias)
  const [first] = targets as [BiasTarget]
  const delta = Float64Array.of(0.01, -0.02)
  const possible = first.bias.correctable(delta)
  const reader = qdq.nodes.find(({ name }) => name === first.bias.reader)
  const scale = qdq.constants.get(reader?.inputs[1] ?? '')
  const steps = numbersOf(scale ?? numbers([]))
  possible.forEach((p, c) => {
    expect(Math.abs(p - (delta[c] as number))).toBeLessThanOrEqual(steps[c] as number)
  })
  const corrected = withCorrections(qdq, new Map([[first, delta]])).constants.get(first.bias.constant)
  const before = qdq.constants.get(first.bias.constant)
  const moved = numbersOf(corrected ?? numbers([])).map(
    (q, c) => q - (numbersOf(before ?? numbers([]))[c] as number),
  )
  moved.forEach((q, c) => {
    expect(q * (steps[c] as number)).toBeCloseTo(possible[c] as number, 9)
  })
})

it('the float vector that an Add holds; where others read it, the corrected one has a name of its own', async () => {
  const float = graph({
    inputs: { x: [1, 3, 4] },
    outputs: ['y'],
    nodes: [node('m = MatMul(x, w)'), node('a = Add(m, b)'), node('n = MatMul(a, w)'), node('y = Add(n, b)')],
    constants: { w: noise(4, 4), b: numbers([1, 2, 3, 4]) },
  })
  const { qdq, targets } = await written(float)
  expect(targets.map((t) => [t.value, t.bias.constant, t.bias.reader])).toEqual([
    ['a', 'b', 'Add:a'],
    ['y', 'b', 'Add:y'],
  ])
  const delta = Float64Array.of(0.5, 0, 0, -0.5)
  const corrected = withCorrections(qdq, new Map([[targets[0] as BiasTarget, delta]]))
  expect(numbersOf(corrected.constants.get('Add:a_bias_corrected') ?? numbers([]))).toEqual(
    Float64Array.of(1.5, 2, 3, 3.5),
  )
  expect(corrected.constants.get('b')).toBe(qdq.constants.get('b'))
  expect(corrected.nodes.find((n) => n.name === 'Add:a')?.inputs).toContain('Add:a_bias_corrected')
  expect(corrected.nodes.find((n) => n.name === 'Add:y')?.inputs).toContain('b')
})
