import { expect, it } from 'vitest'
import { keepInfiniteFloat } from '../../../lib/quantize/ranges/infinite.js'
import { statisticsOf } from '../../helpers/statistics.js'
import { graph, node, noise } from '../graphs.js'
import { assigned, through } from '../record.js'

const float = graph({
  inputs: { x: [1, 2, 4, 4] },
  outputs: ['y'],
  nodes: [
    node('p = Conv(x, w)'),
    node('s = Add(p, mask)'),
    node('t = Transpose(s)', { perm: [0, 1, 3, 2] }),
    node('c = Conv(t, w)'),
    node('d = Conv(c, w)'),
    node('y = Conv(d, w)'),
  ],
  constants: { w: noise(2, 2, 1, 1), mask: noise(1, 2, 4, 4) },
})

const statistics = (infinite: string) =>
  new Map(
    ['x', 'p', 's', 'c', 'd'].map((name) => [name, statisticsOf([1, name === infinite ? -Infinity : 2])]),
  )

it('an infinite value, and what it is moved to, leaves integers with the nodes around it', async () => {
  const start = await assigned(float)
  const collected = { samples: 1, statistics: statistics('s') }
  const kept = await through({ ...start, collected }, [keepInfiniteFloat])
  expect(kept.fusions.integer.map((f) => f.node.name)).toEqual(['Conv:p', 'Conv:d', 'Conv:y'])
  const reason = 'its values are not always finite'
  expect(Object.fromEntries(kept.fusions.float)).toEqual({
    'Add:s': reason,
    'Transpose:t': reason,
    'Conv:c': reason,
  })
  expect(kept.values.observed).toEqual(['x', 'c', 'd'])
  expect([...kept.valueFormats.keys()]).toEqual(['x', 'c', 'd'])
  expect(kept.weightFormats.size).toBe(3)
})

it('finite values change nothing', async () => {
  const start = await assigned(float)
  const same = { ...start, collected: { samples: 1, statistics: statistics('') } }
  expect(await keepInfiniteFloat(same)).toBe(same)
})
