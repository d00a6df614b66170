import { expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { floatsOf } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { quantize } from '../../../lib/quantize/index.js'
import { InferenceSession } from '../../../lib/session/session.js'
import { Tensor } from '../../../lib/session/tensor.js'
import { graph, node, noise, numbers } from '../graphs.js'
import { fileOf } from '../model.js'

const [ROWS, COLUMNS] = [512, 96]
const table = noise(ROWS, COLUMNS)

/** Two places pick rows of one table; a product and an output read them. */
function embedding(): Graph {
  const float = graph({
    inputs: { i: [2, 5], j: [3] },
    outputs: ['y', 'f'],
    nodes: [node('e = Gather(t, i)'), node('f = Gather(t, j)'), node('y = MatMul(e, w)')],
    constants: { t: table, w: noise(COLUMNS, 8) },
  })
  const ids = (dims: readonly number[]) => ({ dtype: 'int64', shape: dims }) as const
  return {
    ...float,
    types: new Map([
      ['i', ids([2, 5])],
      ['j', ids([3])],
    ]),
  }
}

function feedOf(k: number): { i: Tensor; j: Tensor } {
  const ids = (n: number, dims: number[]) =>
    new Tensor(
      'int64',
      BigInt64Array.from({ length: n }, (_, at) => BigInt((at * 97 + k * 31) % ROWS) - 40n),
      dims,
    )
  return { i: ids(10, [2, 5]), j: ids(3, [3]) }
}

it('a table of embeddings is int8 in the file, once, and its rows are close', async () => {
  const bytes = fileOf(embedding())
  const { model, report } = await quantize(bytes, { data: [0, 1, 2, 3].map(feedOf) })
  expect(model.length).toBeLessThan(bytes.length / 3)
  expect(report.weights.find(({ name }) => name === 't')).toMatchObject({
    dims: [ROWS, COLUMNS],
    scales: ROWS,
  })
  expect(report.float.map(({ node }) => node)).not.toContain('Gather:e')
  const { graph: written } = await readModel(model)
  const levels = [...written.constants.values()].filter(({ dims }) => dims[0] === ROWS && dims[1] === COLUMNS)
  expect(levels.map(({ dtype }) => dtype)).toEqual(['int8'])
  expect(written.nodes.filter(({ name }) => name === 'Gather:e')).toHaveLength(1)

  const session = await InferenceSession.create(model)
  const { f } = await session.run(feedOf(5))
  const real = floatsOf(table)
  const got = f?.data as Float32Array
  for (let row = 0; row < 3; row++) {
    const at = (((row * 97 + 5 * 31) % ROWS) - 40 + ROWS) % ROWS
    const expected = real.subarray(at * COLUMNS, (at + 1) * COLUMNS)
    const half = Math.max(...expected.map(Math.abs)) / 127 / 2
    expected.forEach((x, c) => {
      expect(Math.abs((got[row * COLUMNS + c] as number) - x)).toBeLessThanOrEqual(half * 1.0001)
    })
  }
})

it('a table that is the weights of a product too is in the file once', async () => {
  const tied = graph({
    inputs: { i: [6] },
    outputs: ['y'],
    nodes: [
      node('e = Gather(t, i)'),
      node('h = Gemm(e, v)'),
      node('g = Relu(h)'),
      node('y = Gemm(g, t, b)', { transB: 1 }),
    ],
    constants: { t: table, v: noise(COLUMNS, COLUMNS), b: numbers(new Array(ROWS).fill(0.25)) },
  })
  const bytes = fileOf({ ...tied, types: new Map([['i', { dtype: 'int64', shape: [6] }]]) })
  const feed = (k: number) => ({
    i: new Tensor(
      'int64',
      BigInt64Array.from({ length: 6 }, (_, at) => BigInt((at * 41 + k * 7) % ROWS)),
      [6],
    ),
  })
  const { model } = await quantize(bytes, { data: [0, 1, 2, 3, 4, 5, 6, 7].map(feed) })
  const { graph: written } = await readModel(model)
  const copies = [...written.constants.values()].filter(({ dims }) => dims.join() === `${ROWS},${COLUMNS}`)
  expect(copies.map(({ dtype }) => dtype)).toEqual(['int8'])
})
