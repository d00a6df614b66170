import { describe, expect, it } from 'vitest'
import { entropy } from '../../lib/calibrate/observers/entropy.js'
import { meanStd } from '../../lib/calibrate/observers/mean-std.js'
import { minmax } from '../../lib/calibrate/observers/minmax.js'
import { MovingRange, rangeBetween } from '../../lib/calibrate/observers/moving-average.js'
import { mse } from '../../lib/calibrate/observers/mse.js'
import { percentile } from '../../lib/calibrate/observers/percentile.js'
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { clipStatistics, deviationOf, meanOf, statisticsOf } from '../../lib/calibrate/statistics.js'
import { FORMATS } from '../../lib/graph/format.js'
import { type AffineParameters, affineOf } from '../../lib/quantize/scales/affine.js'

const BINS = 4096
const asymmetric = { levels: 256, symmetric: false }
const symmetric = { levels: 256, symmetric: true }

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

describe('statistics', () => {
  it('has the moments and the histogram of the values', () => {
    const values = gaussian(20_000, 1, 2, 3)
    const s = statisticsOf(values, BINS)
    expect(s.count).toBe(values.length)
    expect(meanOf(s)).toBeCloseTo(2, 1)
    expect(deviationOf(s)).toBeCloseTo(3, 1)
    expect(s.histogram.reduce((a, b) => a + b)).toBe(values.length)
    expect(Number.isInteger(Math.log2(s.width))).toBe(true)
    expect(Math.max(-s.min, s.max) / s.width).toBeGreaterThan(BINS / 4)
  })

  it('clipped statistics are those of the clipped values', () => {
    const s = clipStatistics(statisticsOf([-9, -4, -1, 2, 7], BINS), -3, Number.POSITIVE_INFINITY)
    expect([s.count, s.min, s.max]).toEqual([5, -3, 7])
    expect(s.histogram[Math.floor(-3 / s.width) + BINS / 2]).toBe(2)
    expect(s.histogram.reduce((a, b) => a + b)).toBe(5)
  })

  it('counts what is not finite and leaves it out', () => {
    const s = statisticsOf([1, Number.NaN, Number.POSITIVE_INFINITY, -2], BINS)
    expect([s.count, s.nonfinite, s.min, s.max]).toEqual([2, 2, -2, 1])
  })
})

describe('observers', () => {
  it('minmax is the range that was seen', () => {
    expect(minmax.range(statisticsOf([-1, 5, 2], BINS), asymmetric, {})).toEqual([-1, 5])
  })

  it('mean-std is k deviations within what was seen', () => {
    const [low, high] = meanStd.range(statisticsOf(gaussian(50_000, 2), BINS), asymmetric, { deviations: 2 })
    expect(low).toBeCloseTo(-2, 1)
    expect(high).toBeCloseTo(2, 1)
  })

  it('percentile agrees with sorting', () => {
    const values = gaussian(100_000, 3)
    const sorted = values.slice().sort()
    const [low, high] = percentile.range(statisticsOf(values, BINS), asymmetric, { percentile: 99 })
    expect(low).toBeCloseTo(sorted[500] as number, 2)
    expect(high).toBeCloseTo(sorted[99_500] as number, 2)
  })

  it('percentile of values without a sign takes all of it from one end', () => {
    const values = gaussian(100_000, 4).map(Math.abs)
    const sorted = values.slice().sort()
    const [low, high] = percentile.range(statisticsOf(values, BINS), asymmetric, { percentile: 99 })
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
        const s = statisticsOf(values, BINS)
        const [a, b] = [Math.min(0, s.min), Math.max(0, s.max)]
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
    const s = statisticsOf(values, BINS)
    const error = (o: typeof mse) =>
      squaredError(values, affineOf(o.range(s, asymmetric, {}), FORMATS.int8, false))
    expect(error(mse)).toBeLessThan(error(minmax) * 0.95)
  })

  it('entropy cuts heavy tails, and leaves a uniform distribution whole', () => {
    const heavy = statisticsOf(heavyTailed(200_000), BINS)
    const [low, high] = entropy.range(heavy, asymmetric, {})
    expect(high).toBeLessThan(heavy.max / 3)
    expect(low).toBeGreaterThan(heavy.min / 3)
    const random = mulberry32(9)
    const uniform = statisticsOf(
      Array.from({ length: 200_000 }, () => random()),
      BINS,
    )
    const [from, to] = entropy.range(uniform, asymmetric, {})
    expect(from).toBeGreaterThanOrEqual(0)
    expect(to).toBeGreaterThan(0.95)
  })

  it('every observer answers for zeros only', () => {
    const zeros = statisticsOf([0, 0, 0], BINS)
    for (const o of [minmax, meanStd, percentile, mse, entropy]) {
      expect(o.range(zeros, asymmetric, {}).map((x) => x + 0)).toEqual([0, 0])
    }
  })
})

describe('moving average', () => {
  it('starts with the first sample and moves by the momentum', () => {
    const moving = new MovingRange(0.5)
    moving.add(-1, 2)
    moving.add(-3, 4)
    expect(moving.range()).toEqual([-2, 3])
  })

  it('the range of a sample is what it added to the histogram', () => {
    const first = [0.5, -3, 7]
    const second = [1.25, -0.5, 2]
    const before = statisticsOf(first, BINS)
    const after = statisticsOf([...first, ...second], BINS)
    const [low, high] = rangeBetween(before, after) as readonly [number, number]
    expect(Math.abs(low + 0.5)).toBeLessThanOrEqual(after.width)
    expect(Math.abs(high - 2)).toBeLessThanOrEqual(after.width)
    expect(rangeBetween(undefined, before)).toEqual([-3, 7])
    expect(rangeBetween(before, statisticsOf([...first, 100], BINS))?.[1]).toBe(100)
  })
})
