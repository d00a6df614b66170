import { expect, it } from 'vitest'
import type { Sample } from '../../../lib/calibrate/reservoir.js'
import { formatDim, symbol } from '../../../lib/graph/expr.js'
import type { TensorType } from '../../../lib/graph/graph.js'
import { partGraph } from '../../../lib/quantize/layerwise/part-graph.js'
import { node, noise, numbers } from '../graphs.js'

const floats = (...dims: number[]) => ({
  dtype: 'float32' as const,
  dims,
  data: new Uint8Array(4 * dims.reduce((n, d) => n * d, 1)),
})
const shape = (...sizes: number[]) => ({
  dtype: 'int64' as const,
  dims: [sizes.length],
  data: new Uint8Array(BigInt64Array.from(sizes, BigInt).buffer),
})

function partOf(samples: readonly Sample[], types: Readonly<Record<string, TensorType>> = {}) {
  return partGraph({
    name: 'part',
    nodes: [node('r = Reshape(x, s)'), node('y = Add(r, b)')],
    inputs: ['x', 's'],
    outputs: ['y', 'r', 'y'],
    constants: new Map([
      ['b', noise(4)],
      ['unused', numbers([1])],
    ]),
    samples,
    types: new Map(Object.entries(types)),
  })
}
const shapeOf = (graph: ReturnType<typeof partOf>, name: string) =>
  graph.types.get(name)?.shape?.map((d) => (typeof d === 'number' ? d : formatDim(d)))

it('sizes that samples share are numbers, small integers that they share constants', () => {
  const graph = partOf([
    { x: floats(2, 6), s: shape(3, 4) },
    { x: floats(2, 6), s: shape(3, 4) },
  ])
  expect(graph.inputs).toEqual(['x'])
  expect(graph.outputs).toEqual(['y', 'r'])
  expect(shapeOf(graph, 'x')).toEqual([2, 6])
  expect([...graph.constants.keys()].sort()).toEqual(['b', 's'])
})

it('others are symbols, and integers that differ are inputs', () => {
  const samples = [
    { x: floats(2, 6), s: shape(3, 4) },
    { x: floats(2, 8), s: shape(4, 4) },
  ]
  const graph = partOf(samples)
  expect(graph.inputs).toEqual(['x', 's'])
  expect(shapeOf(graph, 'x')).toEqual([2, 'x_1'])
  const named = partOf(samples, { x: { dtype: 'float32', shape: [2, symbol('N')] } })
  expect(shapeOf(named, 'x')?.[1]).toMatch(/^size_.*N/)
})
