/** The analytic clip against the error that it promises to minimise. */
import { expect, it } from 'vitest'
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { FORMATS, type Format } from '../../lib/graph/format.js'
import { affineOf } from '../../lib/quantize/scales/affine.js'
import { laplace } from '../../lib/statistics/observers/laplace.js'
import { minmax } from '../../lib/statistics/observers/minmax.js'
import type { Range } from '../../lib/statistics/summary.js'
import { statisticsOf } from '../helpers/statistics.js'

/** Laplace with b = 1, around `mean`; one-sided: exponential, half of it zeros. */
function samples(mean: number, oneSided: boolean): Float32Array {
  const random = mulberry32(21)
  return Float32Array.from({ length: 200_000 }, () => {
    const distance = -Math.log(1 - random())
    if (oneSided) return random() < 0.5 ? 0 : distance
    return mean + (random() < 0.5 ? -distance : distance)
  })
}

function error(values: Float32Array, range: Range, format: Format): number {
  const { scale, zeroPoint } = affineOf(range, format, false)
  let sum = 0
  for (const v of values) {
    const q = Math.min(format.qmax, Math.max(format.qmin, Math.round(v / scale) + zeroPoint))
    sum += ((q - zeroPoint) * scale - v) ** 2
  }
  return sum / values.length
}

it.each([
  [FORMATS.int8, 9.9],
  [FORMATS.int4, 5.03],
  [FORMATS.int2, 2.83],
])('clips $storage where the paper says', (format, ratio) => {
  const [low, high] = laplace.range(statisticsOf(samples(0, false)), { format, symmetric: false }, {})
  // What was seen ends about where 8 bits clip.
  for (const end of format === FORMATS.int8 ? [] : [-low, high]) {
    expect(end / ratio).toBeGreaterThan(0.98)
    expect(end / ratio).toBeLessThan(1.02)
  }
  expect(high).toBeLessThan(ratio * 1.02)
})

it.each([
  ['two-sided', 0, false],
  ['one-sided', 0, true],
  ['off zero', 2, false],
])('4 bits: near the best of all symmetric clips, %s', (_, mean, oneSided) => {
  const values = samples(mean, oneSided)
  const target = { format: FORMATS.int4, symmetric: false }
  const statistics = statisticsOf(values)
  const chosen = error(values, laplace.range(statistics, target, {}), FORMATS.int4)
  let least = Number.POSITIVE_INFINITY
  for (let a = 1; a < 12; a += 0.25) {
    const range: Range = oneSided ? [0, a] : [mean - a, mean + a]
    least = Math.min(least, error(values, range, FORMATS.int4))
  }
  expect(chosen).toBeLessThan(least * 1.1)
  expect(chosen).toBeLessThan(error(values, minmax.range(statistics, target, {}), FORMATS.int4) * 0.8)
})

it('negative values are a mirror of positive ones', () => {
  const positive = samples(0, true)
  const target = { format: FORMATS.int4, symmetric: false }
  const [, high] = laplace.range(statisticsOf(positive), target, {})
  const [low] = laplace.range(statisticsOf(positive.map((x) => -x)), target, {})
  expect(-low / high).toBeCloseTo(1, 2)
})
