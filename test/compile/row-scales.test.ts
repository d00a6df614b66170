/** Dynamic quantization of every row: the product, a Cast and two Muls in any order are one step, and give the same bits. */
import { expect, test } from 'vitest'
import { explain, InferenceSession, Tensor } from '../../lib/index.js'
import { floatTensor, int, modelBytes, node, value } from '../helpers/model.js'

const K = 13
const N = 5
const UINT8 = 2

/** a, zero, scale -> MatMulInteger -> Cast -> Mul(scale) -> Mul(columns), the factors in this or the other order. */
function model(batch: (number | string)[], columnsFirst = false): Uint8Array {
  const rows = [...batch, 'm']
  const [first, second] = columnsFirst ? ['columns', 'scale'] : ['scale', 'columns']
  const b = Uint8Array.from({ length: K * N }, (_, i) => (i * 53 + 7) % 256)
  const columns = Array.from({ length: N }, (_, i) => 0.003 * (i + 1))
  return modelBytes({
    name: 'g',
    input: [
      value('a', [...rows, K], UINT8),
      value('zero', [...rows, 1], UINT8),
      value('scale', [...rows, 1]),
    ],
    output: [value('y', undefined)],
    initializer: [
      { name: 'b', dataType: 3, dims: [BigInt(K), BigInt(N)], rawData: b },
      floatTensor('columns', [N], columns),
    ],
    node: [
      node('MatMulInteger', ['a', 'b', 'zero'], ['sums']),
      node('Cast', ['sums'], ['real'], [int('to', 1)]),
      node('Mul', ['real', first as string], ['once']),
      node('Mul', [second as string, 'once'], ['y']),
    ],
  })
}

function feeds(batch: number[], m: number) {
  const rows = [...batch, m]
  const count = rows.reduce((p, d) => p * d, 1)
  return {
    a: new Tensor(
      'uint8',
      Uint8Array.from({ length: count * K }, (_, i) => (i * 37 + 5) % 256),
      [...rows, K],
    ),
    zero: new Tensor(
      'uint8',
      Uint8Array.from({ length: count }, (_, i) => (i * 89 + 3) % 256),
      [...rows, 1],
    ),
    // A row of zeros has the scale 0.
    scale: new Tensor(
      'float32',
      Float32Array.from({ length: count }, (_, i) => (i % 4) * 0.0137),
      [...rows, 1],
    ),
  }
}

test.each([
  [[], false],
  [[2], false],
  [['batch'], false],
  [[2], true],
] as const)('rows of batch %o, columns first: %s', async (batch, columnsFirst) => {
  const bytes = model([...batch], columnsFirst)
  const { steps } = await explain(bytes)
  expect(steps).toMatchObject({ integer: 1, float: 0 })
  await using fused = await InferenceSession.create(bytes)
  await using separate = await InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' })
  for (const m of [1, 2, 9, 33]) {
    const given = feeds(batch.length > 0 ? [2] : [], m)
    const [got, want] = [(await fused.run(given)).y, (await separate.run(given)).y]
    expect(got?.dims).toEqual(want?.dims)
    expect(got?.data).toEqual(want?.data)
  }
})
