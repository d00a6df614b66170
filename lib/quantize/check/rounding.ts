/** The error that rounding and clipping by one scale make, as calibration saw the value. */

import type { Statistics } from '../../statistics/record.js'
import { binEdge, momentsOf } from '../../statistics/summary.js'
import { type AffineParameters, rangeOf } from '../scales/affine.js'

/** The mean squared error of a value by these parameters; undefined where nothing was seen of it. */
export function roundingError(statistics: Statistics, parameters: AffineParameters): number | undefined {
  const moments = momentsOf(statistics)
  if (!moments || moments.count === 0) return undefined
  const { scale } = parameters
  const [low, high] = rangeOf(parameters)
  const rounding = (scale * scale) / 12
  const { histogram } = statistics
  if (!histogram || histogram.width === 0) return rounding
  let clipped = 0
  histogram.counts.forEach((n, i) => {
    if (n === 0) return
    const x = binEdge(histogram, i + 0.5)
    const beyond = x < low ? low - x : x > high ? x - high : 0
    clipped += n * beyond * beyond
  })
  return rounding + clipped / moments.count
}
