/** A float convolution takes in the sum after it, and its Relu. */
import { expect, it } from 'vitest'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { modelBytes, node, value } from '../helpers/model.js'

const SHAPE = [1, 3, 5, 4]
const MODEL = modelBytes(
  {
    name: 'g',
    input: [value('x', SHAPE), value('w', [3, 3, 1, 1]), value('r', SHAPE)],
    output: [value('y', SHAPE)],
    node: [
      node('Relu', ['r'], ['positive']),
      node('Conv', ['x', 'w'], ['c'], [], 'conv'),
      node('Add', ['c', 'positive'], ['s'], [], 'add'),
      node('Relu', ['s'], ['y'], [], 'relu'),
    ],
  },
  21,
)

const wave = (dims: readonly number[], step: number) => {
  const size = dims.reduce((a, b) => a * b)
  return new Tensor(
    'float32',
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * step)),
    dims,
  )
}

it('one step computes Conv, Add and Relu, to the same bits', async () => {
  const feeds = { x: wave(SHAPE, 1), w: wave([3, 3, 1, 1], 2), r: wave(SHAPE, 3) }
  await using fused = await InferenceSession.create(MODEL, { enableProfiling: true })
  await using plain = await InferenceSession.create(MODEL, { graphOptimizationLevel: 'disabled' })
  const [ours, wanted] = [fused.runSync(feeds), plain.runSync(feeds)]
  expect(ours.y?.data).toEqual(wanted.y?.data)
  const conv = fused.profile().find((step) => step.op === 'Conv')
  expect(conv?.nodes).toEqual(['conv', 'add', 'relu'])
})
