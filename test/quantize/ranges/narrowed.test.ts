/** Ranges that functions fix are narrowed to what they use. */
import { expect, it } from 'vitest'
import { observedRanges } from '../../../lib/quantize/ranges/activations.js'
import { statisticsOf } from '../../helpers/statistics.js'
import { graph, node, noise } from '../graphs.js'
import { assigned, through } from '../record.js'

const attention = graph({
  inputs: { q: [1, 8, 4], k: [1, 4, 8], v: [1, 8, 4] },
  outputs: ['y'],
  nodes: [
    node('s = MatMul(q, k)'),
    node('p = Softmax(s)', { axis: -1 }),
    node('o = MatMul(p, v)'),
    node('y = MatMul(o, w)'),
  ],
  constants: { w: noise(4, 4) },
})

it.each([
  [1, 1],
  [0.5, 1],
  [0.3, 0.5],
  [0.01, 2 ** -6],
  [0, 2 ** -10],
])('a Softmax whose largest element is %s has the range up to %s', async (most, high) => {
  const start = await assigned(attention)
  const seen = new Map(['q', 'k', 'v', 's', 'o'].map((name) => [name, statisticsOf([-1, 1])]))
  const statistics = seen.set('p', statisticsOf([0, most]))
  const { ranges } = await through({ ...start, collected: { samples: 1, statistics } }, [observedRanges])
  expect(ranges.get('p')).toEqual([0, high])
})

it.each([
  [16, 2],
  [1024, 1.125],
  [4096, 1],
])('a range that %i elements showed is %s times as wide', async (count, factor) => {
  const start = await assigned(attention, { activations: { observer: 'minmax' } })
  const values = Float32Array.from({ length: count }, (_, i) => (i % 2 === 0 ? -1 : 3))
  const statistics = new Map(['q', 'k', 'v', 's', 'o'].map((name) => [name, statisticsOf(values)]))
  const { ranges } = await through({ ...start, collected: { samples: 1, statistics } }, [observedRanges])
  expect(ranges.get('q')).toEqual([-factor, 3 * factor])
})
