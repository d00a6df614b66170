/** MatMulInteger with a zero point for each row of its left operand. */
import { expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { modelBytes, node, value } from '../../helpers/model.js'

const UINT8 = 2
const INT8 = 3
const INT32 = 6

function product(a: (number | string)[], zero: (number | string)[], type: number, b: number[]): Uint8Array {
  return modelBytes({
    name: 'g',
    input: [value('a', a, type), value('zero', zero, type), value('b', b, INT8)],
    output: [value('y', undefined, INT32)],
    node: [node('MatMulInteger', ['a', 'b', 'zero'], ['y'])],
  })
}

const bytes = (n: number, seed: number) => Array.from({ length: n }, (_, i) => (i * seed + 31) % 256)
const signed = (v: number) => (v > 127 ? v - 256 : v)

test.each([
  ['a vector, uint8', UINT8, [4, 13], [4], [13, 5]],
  ['a vector, int8', INT8, [4, 13], [4], [13, 5]],
  ['rows of a batch', UINT8, [2, 3, 13], [2, 3, 1], [13, 5]],
  ['rows of a batch, int8', INT8, [2, 3, 13], [2, 3, 1], [2, 13, 5]],
  ['one zero point', UINT8, [4, 13], [1], [13, 5]],
] as const)('%s', async (_name, type, aDims, zeroDims, bDims) => {
  const number = type === INT8 ? signed : (v: number) => v
  const size = (dims: readonly number[]) => dims.reduce((p, d) => p * d, 1)
  const a = bytes(size(aDims), 37)
  const zero = bytes(size(zeroDims), 89)
  const b = bytes(size(bDims), 53)
  const name = type === INT8 ? 'int8' : 'uint8'
  const pack = (list: number[]) => (type === INT8 ? Int8Array.from(list.map(signed)) : Uint8Array.from(list))
  const feeds = {
    a: new Tensor(name, pack(a), [...aDims]),
    zero: new Tensor(name, pack(zero), [...zeroDims]),
    b: new Tensor('int8', Int8Array.from(b.map(signed)), [...bDims]),
  }
  const fixed = product([...aDims], [...zeroDims], type, [...bDims])
  const rows = size(aDims) / 13
  const want: number[] = []
  for (let row = 0; row < rows; ++row) {
    const matrix = bDims.length === 3 ? Math.floor(row / 3) * 65 : 0
    for (let n = 0; n < 5; ++n) {
      let sum = 0
      for (let k = 0; k < 13; ++k) {
        const z = number(zero[zero.length === 1 ? 0 : row] as number)
        sum += (number(a[row * 13 + k] as number) - z) * signed(b[matrix + k * 5 + n] as number)
      }
      want.push(sum)
    }
  }
  await using session = await InferenceSession.create(fixed)
  const { y } = await session.run(feeds)
  expect(y?.data).toEqual(Int32Array.from(want))
})

test('rows that only a run knows', async () => {
  await using session = await InferenceSession.create(product(['rows', 2], ['rows'], UINT8, [2, 1]))
  const b = new Tensor('int8', Int8Array.of(1, 1), [2, 1])
  for (const rows of [1, 3]) {
    const a = new Tensor(
      'uint8',
      Uint8Array.from({ length: rows * 2 }, (_, i) => i),
      [rows, 2],
    )
    const zero = new Tensor(
      'uint8',
      Uint8Array.from({ length: rows }, (_, i) => i),
      [rows],
    )
    const { y } = await session.run({ a, zero, b })
    expect(y?.data).toEqual(Int32Array.from({ length: rows }, (_, r) => 2 * (2 * r) + 1 - 2 * r))
  }
})

test('a vector of another length, and rows without their last axis, are refused', async () => {
  for (const zero of [[3], [4, 2], [1, 4]])
    await expect(InferenceSession.create(product([4, 13], zero, UINT8, [13, 5]))).rejects.toThrow(
      /one zero point or one for each row in input 2/,
    )
  await expect(InferenceSession.create(product([2, 3, 13], [3], UINT8, [13, 5]))).rejects.toThrow(
    /one zero point or one for each row/,
  )
})
