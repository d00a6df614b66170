import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { FORMATS } from '../../lib/graph/format.js'
import { type AffineParameters, affineOf } from '../../lib/quantize/scales/affine.js'
import { entropy } from '../../lib/statistics/observers/entropy.js'
import { observers } from '../../lib/statistics/observers/index.js'
import { meanStd } from '../../lib/statistics/observers/mean-std.js'
import { minmax } from '../../lib/statistics/observers/minmax.js'
import { movingAverage } from '../../lib/statistics/observers/moving-average.js'
import { mse } from '../../lib/statistics/observers/mse.js'
import type { Observer } from '../../lib/statistics/observers/observer.js'
import { percentile } from '../../lib/statistics/observers/percentile.js'
import { clipStatistics, deviationOf, meanOf } from '../../lib/statistics/summary.js'
import { BINS, histogramOf, momentsOf, statisticsOf } from '../helpers/statistics.js'

const asymmetric = { format: FORMATS.int8, symmetric: false }
const symmetric = { format: FORMATS.int8, symmetric: true }

function gaussian(n: number, seed: number, mean = 0, deviation = 1): Float32Array {
  const random = mulberry32(seed)
  return Float32Array.from({ length: n }, () => {
    let sum = -6
    for (let i = 0; i < 12; ++i) sum += random()
    return mean + deviation * sum
  })
}

/** Rare values far out. */
function heavyTailed(n: number): Float32Array {
  return gaussian(n, 7).map((x, i) => (i % 5000 === 0 ? x * 40 : x))
}

function squaredError(values: Float32Array, { scale, zeroPoint, format }: AffineParameters): number {
  const { qmin, qmax } = format
  let sum = 0
  for (const v of values) {
    const q = Math.min(qmax, Math.max(qmin, Math.round(v / scale) + zeroPoint))
    sum += ((q - zeroPoint) * scale - v) ** 2
  }
  return sum
}

describe('summary', () => {
  it('has mean and deviation of the values', () => {
    const moments = momentsOf(gaussian(20_000, 1, 2, 3))
    expect(meanOf(moments)).toBeCloseTo(2, 1)
    expect(deviationOf(moments)).toBeCloseTo(3, 1)
  })

  it('clipped statistics are those of the clipped values', () => {
    const { histogram, moments, extremes } = clipStatistics(statisticsOf([-9, -4, -1, 2, 7]), [-3, 5])
    expect([moments?.count, moments?.min, moments?.max]).toEqual([5, -3, 5])
    expect([extremes?.min, extremes?.high]).toEqual([-3, 5])
    expect([histogram?.min, histogram?.max]).toEqual([-3, 5])
    const { counts, width } = histogram ?? histogramOf([])
    expect(counts[Math.floor(-3 / width) + BINS / 2]).toBe(2)
    expect(counts.reduce((a, b) => a + b)).toBe(5)
  })
})

describe('observers', () => {
  it('minmax is the range that was seen', () => {
    expect(minmax.range(statisticsOf([-1, 5, 2]), asymmetric, {})).toEqual([-1, 5])
  })

  it('mean-std is k deviations within what was seen', () => {
    const [low, high] = meanStd.range(statisticsOf(gaussian(50_000, 2)), asymmetric, { deviations: 2 })
    expect(low).toBeCloseTo(-2, 1)
    expect(high).toBeCloseTo(2, 1)
  })

  it('percentile agrees with sorting', () => {
    const values = gaussian(100_000, 3)
    const sorted = values.slice().sort()
    const [low, high] = percentile.range(statisticsOf(values), asymmetric, { percentile: 99 })
    expect(low).toBeCloseTo(sorted[500] as number, 2)
    expect(high).toBeCloseTo(sorted[99_500] as number, 2)
  })

  it('percentile of values without a sign takes all of it from one end', () => {
    const values = gaussian(100_000, 4).map(Math.abs)
    const sorted = values.slice().sort()
    const [low, high] = percentile.range(statisticsOf(values), asymmetric, { percentile: 99 })
    expect(low).toBe(sorted[0])
    expect(high).toBeCloseTo(sorted[99_000] as number, 2)
  })

  const samples: readonly (readonly [string, Float32Array])[] = [
    ['a Gaussian', gaussian(50_000, 5)],
    ['after a Relu', gaussian(50_000, 6).map((x) => Math.max(0, x))],
    ['heavy tails', heavyTailed(50_000)],
    ['one side heavy', heavyTailed(50_000).map((x) => (x < 0 ? x / 10 : x))],
    ['all negative', gaussian(50_000, 8, -20, 2)],
  ]
  for (const [name, values] of samples) {
    for (const target of [asymmetric, symmetric]) {
      it(`mse is near the best of brute force: ${name}, ${target.symmetric ? 'symmetric' : 'asymmetric'}`, () => {
        const s = statisticsOf(values)
        const { min, max } = momentsOf(values)
        const [a, b] = [Math.min(0, min), Math.max(0, max)]
        let least = Number.POSITIVE_INFINITY
        for (let i = 1; i <= 25; ++i) {
          for (let j = 1; j <= 25; ++j) {
            const params = affineOf([(a * i) / 25, (b * j) / 25], FORMATS.int8, target.symmetric)
            least = Math.min(least, squaredError(values, params))
          }
        }
        const chosen = squaredError(
          values,
          affineOf(mse.range(s, target, {}), FORMATS.int8, target.symmetric),
        )
        expect(chosen).toBeLessThan(least * 1.1)
      })
    }
  }

  it('mse beats minmax on heavy tails', () => {
    const values = heavyTailed(50_000)
    const s = statisticsOf(values)
    const error = (o: Observer) =>
      squaredError(values, affineOf(o.range(s, asymmetric, {}), FORMATS.int8, false))
    expect(error(mse)).toBeLessThan(error(minmax) * 0.95)
  })

  it('entropy cuts heavy tails, and leaves a uniform distribution whole', () => {
    const heavy = statisticsOf(heavyTailed(200_000))
    const [low, high] = entropy.range(heavy, asymmetric, {})
    const { min = 0, max = 0 } = heavy.moments ?? {}
    expect(high).toBeLessThan(max / 3)
    expect(low).toBeGreaterThan(min / 3)
    const random = mulberry32(9)
    const uniform = statisticsOf(Array.from({ length: 200_000 }, () => random()))
    const [from, to] = entropy.range(uniform, asymmetric, {})
    expect(from).toBeGreaterThanOrEqual(0)
    expect(to).toBeGreaterThan(0.95)
  })

  it('every observer answers for zeros only', () => {
    const zeros = statisticsOf([0, 0, 0])
    for (const o of Object.values<Observer>(observers)) {
      expect(o.range(zeros, asymmetric, {}).map((x) => x + 0)).toEqual([0, 0])
    }
  })
})

describe('what observers are given', () => {
  it('moving average: the first run counts in full, the next by the momentum', () => {
    const options = { momentum: 0.5 }
    expect(movingAverage.needs(options)).toEqual([{ kind: 'extremes', momentum: 0.5 }])
    const runs = [
      [-1, 2],
      [-3, 4],
    ]
    const statistics = statisticsOf(runs.flat(), runs, 0.5)
    expect(movingAverage.range(statistics, asymmetric, options)).toEqual([-2, 3])
  })

  it('every observer answers from what it says that it needs, and from nothing else', () => {
    const all = statisticsOf(gaussian(5000, 11))
    for (const [name, o] of Object.entries<Observer>(observers)) {
      const kinds = o.needs({}).map(({ kind }) => kind)
      const needed = Object.fromEntries(kinds.map((kind) => [kind, all[kind]]))
      const [low, high] = o.range(needed, asymmetric, {})
      expect(low, name).toBeLessThan(high)
      expect(() => o.range({}, asymmetric, {}), name).toThrow('was not gathered')
    }
  })

  it('stays within the domain of those who read the value', () => {
    const values = gaussian(5000, 12, 0, 10)
    for (const [name, o] of Object.entries<Observer>(observers)) {
      const [low, high] = o.range(statisticsOf(values), { ...asymmetric, domain: [-3, 6] }, {})
      expect(low, name).toBeGreaterThanOrEqual(-3)
      expect(high, name).toBeLessThanOrEqual(6)
    }
  })

  it('a value that was never computed has the range [0, 0]', () => {
    for (const o of Object.values<Observer>(observers)) {
      expect(o.range(statisticsOf([]), asymmetric, {})).toEqual([0, 0])
    }
  })

  it('fewer levels make mse cut more', () => {
    const s = statisticsOf(gaussian(50_000, 13))
    const width = (format: typeof FORMATS.int8) => mse.range(s, { format, symmetric: true }, {})[1]
    expect(width(FORMATS.int4)).toBeLessThan(width(FORMATS.int8) * 0.9)
  })
})
