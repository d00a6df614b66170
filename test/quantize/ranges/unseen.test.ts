/** Values that no sample computed, and values that were not observed. */
import { expect, it } from 'vitest'
import { tensorOf } from '../../../lib/graph/tensor.js'
import { observeMissing } from '../../../lib/quantize/ranges/missing.js'
import { keepUnseenFloat } from '../../../lib/quantize/ranges/unseen.js'
import { momentsOf } from '../../../lib/statistics/summary.js'
import { statisticsOf } from '../../helpers/statistics.js'
import { graph, node, noise } from '../graphs.js'
import { assigned } from '../record.js'

const float = graph({
  inputs: { x: [1, 2, 4, 4] },
  outputs: ['y'],
  nodes: [node('a = Conv(x, w)'), node('b = Conv(a, w)'), node('y = Conv(b, w)')],
  constants: { w: noise(2, 2, 1, 1) },
})

it('what no sample computed has no range: the nodes around it are float', async () => {
  const start = await assigned(float)
  const statistics = new Map([
    ['x', statisticsOf([1])],
    ['a', statisticsOf([1])],
    ['b', statisticsOf([])],
  ])
  const kept = await keepUnseenFloat({ ...start, collected: { samples: 1, statistics } })
  expect(kept.fusions.integer.map((f) => f.node.name)).toEqual(['Conv:a'])
  expect(kept.fusions.float.get('Conv:y')).toBe('no sample computed its values')
})

it('held samples tell what was not observed, and only that', async () => {
  const start = await assigned(float)
  const x = tensorOf(
    'float32',
    [1, 2, 4, 4],
    Float32Array.from({ length: 32 }, (_, i) => i / 32),
  )
  const known = statisticsOf([7])
  const done = await observeMissing({
    ...start,
    samples: [{ sample: { x }, statistics: new Map() }],
    collected: { samples: 1, statistics: new Map([['x', known]]) },
  })
  expect(done.collected.statistics.get('x')).toBe(known)
  for (const name of ['a', 'b']) {
    const moments = momentsOf(done.collected.statistics.get(name) ?? {})
    expect(moments?.count).toBe(32)
    expect(moments && moments.max > moments.min).toBe(true)
  }
})
