/** Dynamic quantization of a tensor: the product takes the scale that a run computes, and gives the bits of separate steps. */
import { expect, test } from 'vitest'
import { explain, InferenceSession, Tensor } from '../../lib/index.js'
import { floatTensor, int, ints, modelBytes, node, value } from '../helpers/model.js'

interface Case {
  readonly x: number[]
  readonly w: number[]
  readonly scales: number[]
  readonly bias?: number[]
  readonly conv?: { readonly group: number; readonly pads: number[]; readonly strides: number[] }
}

const size = (dims: readonly number[]) => dims.reduce((p, d) => p * d, 1)

function model({ x, w, scales, bias, conv }: Case): Uint8Array {
  const attributes = conv
    ? [int('group', conv.group), ints('pads', conv.pads), ints('strides', conv.strides)]
    : []
  const inputs = ['q', 'w', 'zero', 'w_zero']
  return modelBytes({
    name: 'g',
    input: [value('x', x)],
    output: [value('y', undefined)],
    initializer: [
      {
        name: 'w',
        dataType: 3,
        dims: w.map(BigInt),
        rawData: Uint8Array.from({ length: size(w) }, (_, i) => (i * 53 + 7) % 256),
      },
      { name: 'w_zero', dataType: 3, dims: [], rawData: Uint8Array.of(3) },
      floatTensor(
        'w_scale',
        scales,
        Array.from({ length: size(scales) }, (_, i) => 0.003 * (i + 1)),
      ),
      floatTensor(
        'bias',
        bias ?? [],
        Array.from({ length: size(bias ?? []) }, (_, i) => 0.17 * i - 0.3),
      ),
    ],
    node: [
      node('DynamicQuantizeLinear', ['x'], ['q', 'scale', 'zero']),
      node(conv ? 'ConvInteger' : 'MatMulInteger', inputs, ['sums'], attributes),
      node('Cast', ['sums'], ['real'], [int('to', 1)]),
      node('Mul', ['scale', 'w_scale'], ['both']),
      node('Mul', ['real', 'both'], ['scaled']),
      node('Add', ['bias', 'scaled'], ['y']),
    ],
  })
}

const square = { group: 1, pads: [1, 1, 1, 1], strides: [1, 1] }

test.each<[string, Case, number]>([
  ['a matrix, one scale', { x: [5, 13], w: [13, 7], scales: [], bias: [7] }, 1],
  ['a matrix, scales of columns', { x: [2, 5, 13], w: [13, 7], scales: [7], bias: [7] }, 1],
  ['one row', { x: [1, 64], w: [64, 33], scales: [1], bias: [33] }, 1],
  ['a bias that is a number', { x: [5, 13], w: [13, 7], scales: [], bias: [1] }, 2],
  ['Conv', { x: [2, 3, 9, 8], w: [5, 3, 3, 3], scales: [5, 1, 1], bias: [1, 5, 1, 1], conv: square }, 1],
  [
    'Conv with groups and strides',
    {
      x: [1, 4, 9, 8],
      w: [6, 2, 3, 3],
      scales: [],
      bias: [1, 6, 1, 1],
      conv: { ...square, group: 2, strides: [2, 1] },
    },
    1,
  ],
  [
    'depthwise Conv',
    {
      x: [1, 37, 9, 8],
      w: [37, 1, 3, 3],
      scales: [37, 1, 1],
      bias: [1, 37, 1, 1],
      conv: { ...square, group: 37 },
    },
    1,
  ],
])('%s', async (_, given, fused) => {
  const bytes = model(given)
  const { steps } = await explain(bytes)
  expect(steps).toMatchObject({ integer: 1, float: fused })
  await using one = await InferenceSession.create(bytes)
  await using separate = await InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' })
  for (const shift of [0.2, 0.9, 0]) {
    const data = Float32Array.from({ length: size(given.x) }, (_, i) => ((i * 37) % 101) / 50 - shift)
    const feeds = { x: new Tensor('float32', shift === 0 ? data.fill(0) : data, given.x) }
    const [got, want] = [(await one.run(feeds)).y, (await separate.run(feeds)).y]
    expect(got?.dims).toEqual(want?.dims)
    expect(got?.data).toEqual(want?.data)
  }
})
