import { expect, it } from 'vitest'
import { observedRanges } from '../../../lib/quantize/ranges/activations.js'
import { rangeObservations } from '../../../lib/quantize/ranges/calibrate.js'
import { statisticsOf } from '../../helpers/statistics.js'
import { graph, node, noise } from '../graphs.js'
import { assigned, through } from '../record.js'

const float = graph({
  inputs: { x: [1, 3, 4, 4] },
  outputs: ['y'],
  nodes: [node('c = Conv(x, w)'), node('h = HardSwish(c)'), node('s = Sigmoid(h)'), node('y = Conv(s, v)')],
  constants: { w: noise(4, 3, 1, 1), v: noise(2, 4, 1, 1) },
})

/** The same elements so often that they show the distribution. */
const often = (values: readonly number[]) =>
  Array.from({ length: 4100 }, (_, i) => values[i % values.length] as number)

async function ranges(observer: 'minmax' | 'percentile', seen: Record<string, number[]>) {
  const start = await assigned(float, { activations: { observer, percentile: 75 } })
  const statistics = new Map(
    Object.entries(seen).map(([name, values]) => [name, statisticsOf(often(values))]),
  )
  const done = await through({ ...start, collected: { samples: 1, statistics } }, [observedRanges])
  return Object.fromEntries(done.ranges)
}

it('of the observer, within what makes a difference to the readers', async () => {
  const found = await ranges('minmax', { x: [-1, 2], c: [-9, 5], s: [0, 1] })
  expect(found).toMatchObject({ x: [-1, 2], c: [-3, 5] })
})

it('the observer has its options', async () => {
  const values = Array.from({ length: 100 }, (_, i) => i / 100)
  const [, high] = (await ranges('percentile', { x: values, c: [0, 1], s: [0, 1] })).x as [number, number]
  // 25 of the 100 elements are above; the quantile is exact to a bin.
  expect(high).toBeGreaterThan(0.73)
  expect(high).toBeLessThanOrEqual(0.75)
})

it('empty for what no sample computed', async () => {
  expect((await ranges('minmax', { x: [-1, 2], s: [0, 1] })).c).toEqual([0, 0])
})

it('every value has the observer that the rules give it, and is observed for it', async () => {
  const start = await assigned(float, {
    activations: { observer: 'minmax' },
    rules: [{ match: { opType: 'Conv' }, activations: { observer: 'percentile', percentile: 60 } }],
  })
  const values = Array.from({ length: 100 }, (_, i) => i / 100)
  const statistics = new Map(['x', 'c'].map((name) => [name, statisticsOf(often(values))]))
  const found = await through({ ...start, collected: { samples: 1, statistics } }, [observedRanges])
  expect(found.ranges.get('x')?.[1]).toBe(0.99)
  expect(found.ranges.get('c')?.[1]).toBeLessThan(0.61)
  const kinds = (value: string) =>
    rangeObservations(start).flatMap((o) => (o.value === value ? [o.kind] : []))
  expect(kinds('x')).not.toContain('histogram')
  expect(kinds('c')).toContain('histogram')
})
