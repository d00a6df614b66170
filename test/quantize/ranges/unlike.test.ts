/** Parts that one scale cannot hold. */
import { expect, it } from 'vitest'
import { keepUnlikeFloat } from '../../../lib/quantize/ranges/unlike.js'
import { statisticsOf } from '../../helpers/statistics.js'
import { graph, node, noise, numbers } from '../graphs.js'
import { assigned, through } from '../record.js'

const joined = graph({
  inputs: { x: [1, 4, 4, 4] },
  outputs: ['y'],
  nodes: [
    node('a = Conv(x, w)'),
    node('b = Conv(x, w)'),
    node('j = Concat(a, b)', { axis: 1 }),
    node('y = Conv(j, v)'),
  ],
  constants: { w: noise(4, 4, 1, 1), v: noise(4, 8, 1, 1) },
})

const masked = (mask: number) =>
  graph({
    inputs: { q: [1, 4, 4], k: [1, 4, 4], v: [1, 4, 4] },
    outputs: ['y'],
    nodes: [
      node('s = MatMul(q, k)'),
      node('m = Add(s, mask)'),
      node('p = Softmax(m)', { axis: -1 }),
      node('y = MatMul(p, v)'),
    ],
    constants: {
      mask: numbers([0, mask, mask, mask, 0, 0, mask, mask, 0, 0, 0, mask, 0, 0, 0, 0], [1, 4, 4]),
    },
  })

const seen = (ranges: Readonly<Record<string, number>>) => ({
  samples: 1,
  statistics: new Map(Object.entries(ranges).map(([name, most]) => [name, statisticsOf([-most, most])])),
})

async function floatReasons(float: Parameters<typeof assigned>[0], ranges: Readonly<Record<string, number>>) {
  const start = await assigned(float)
  return through({ ...start, collected: seen(ranges) }, [keepUnlikeFloat])
}

it('a join of parts that differ by more than 32 times is float, of others not', async () => {
  const unlike = await floatReasons(joined, { x: 1, a: 640, b: 1, j: 640 })
  expect(unlike.fusions.float.get('Concat:j')).toBe(
    'joins parts that are too unlike for one scale: 640 times',
  )
  expect(unlike.values.observed).toEqual(['x', 'j'])
  const like = await floatReasons(joined, { x: 1, a: 30, b: 1, j: 30 })
  expect(like.fusions.float.size).toBe(0)
})

it('a mask that is added before a Softmax is float, a bias of positions is not', async () => {
  const off = await floatReasons(masked(-10_000), { q: 1, k: 1, v: 1, s: 8, m: 10_000 })
  expect(off.fusions.float.get('Add:m')).toMatch(/^holds a mask: its range is \d+ times that of the scores$/)
  const near = await floatReasons(masked(-2), { q: 1, k: 1, v: 1, s: 2, m: 3 })
  expect(near.fusions.float.has('Add:m')).toBe(false)
})
