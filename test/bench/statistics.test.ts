import { describe, expect, it } from 'vitest'
import { script } from './module.js'

interface Summary {
  readonly median: number
  readonly q1: number
  readonly q3: number
  readonly min: number
  readonly count: number
}
interface Statistics {
  quantile(values: readonly number[], q: number): number
  summary(values: readonly number[]): Summary
  spread(summary: Summary): number
}
interface Measure {
  interleave(
    entries: readonly { run(): unknown; isSync: boolean }[],
    limits: { seconds: number; rounds?: number; most?: number; warmMs?: number },
  ): Promise<Summary[]>
}

const { quantile, summary, spread } = await script<Statistics>('statistics.mjs')
const { interleave } = await script<Measure>('measure.mjs')

describe('statistics', () => {
  it('interpolates quantiles as numpy does', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2)
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75)
    expect(quantile([7], 0.9)).toBe(7)
    expect(() => quantile([], 0.5)).toThrow('no values')
  })

  it('sums up', () => {
    const found = summary([4, 1, 3, 2])
    expect(found).toEqual({ median: 2.5, q1: 1.75, q3: 3.25, min: 1, count: 4 })
    expect(spread(found)).toBeCloseTo(0.3)
  })

  it('gives every entry the same number of samples, in turn', async () => {
    const order: string[] = []
    const wait = (ms: number) => {
      const end = performance.now() + ms
      while (performance.now() < end);
    }
    const entry = (name: string, ms: number, isSync: boolean) => ({
      isSync,
      run: () => {
        order.push(name)
        wait(ms)
      },
    })
    const found = await interleave([entry('a', 1, true), entry('b', 2, false)], {
      seconds: 0.001,
      rounds: 4,
      most: 4,
      warmMs: 0,
    })
    expect(found.map((f) => f.count)).toEqual([4, 4])
    expect(found[0]?.min).toBeGreaterThanOrEqual(1)
    expect(found[1]?.min).toBeGreaterThanOrEqual(2)
    // Each sample is one run after one that is not timed.
    expect(order.slice(-16).join('')).toBe('aabbaabbaabbaabb')
  })
})
