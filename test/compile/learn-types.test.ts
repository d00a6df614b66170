import { expect, it } from 'vitest'
import { learnTypes, openValues } from '../../lib/compile/run/learn-types.js'
import { formatDim, symbol } from '../../lib/graph/expr.js'
import { inferGraph } from '../../lib/ops/core/infer.js'
import { resizing, samples, squeezing } from '../calibrate/open-graphs.js'

const shapeOf = (info: Awaited<ReturnType<typeof learnTypes>>, name: string) =>
  info.types.get(name)?.shape?.map(formatDim)

const floats = (...dims: number[]) => {
  const data = new Uint8Array(4 * dims.reduce((n, d) => n * d, 1))
  return { dtype: 'float32', dims, data } as const
}

it('a branch gives the rank that the sizes take; what holds for all sizes stays', async () => {
  const graph = squeezing()
  const open = inferGraph(graph, { partial: true })
  expect(openValues(open).map((e) => e.tensor)).toEqual(['single'])
  const one = await learnTypes(graph, open, { x: floats(1, 8) })
  expect(shapeOf(one, 'y')).toEqual(['4'])
  expect(one.types.get('r')?.shape?.[0]).toEqual(symbol('n'))
  const three = await learnTypes(graph, open, { x: floats(3, 8) })
  expect(shapeOf(three, 'y')).toEqual(['3', '4'])
})

it('elements of small inputs are those of the feeds', async () => {
  const graph = resizing()
  const scales = {
    dtype: 'float32',
    dims: [4],
    data: new Uint8Array(Float32Array.of(1, 1, 2, 3).buffer),
  } as const
  const info = await learnTypes(graph, inferGraph(graph, { partial: true }), {
    x: floats(1, 2, 5, 5),
    scales,
  })
  expect(shapeOf(info, 'y')).toEqual(['1', '3', '6', '9'])
})

it('a graph without open values has none', () => {
  expect(samples([2])).toHaveLength(1)
  const graph = { ...squeezing(), nodes: squeezing().nodes.slice(0, 2), outputs: ['r'] }
  expect(openValues(inferGraph(graph, { partial: true }))).toEqual([])
})
