/** Records of numbers held in memory: what the native steps compute, written plainly. */
import type { Histogram, Moments, Statistics } from '../../lib/statistics/record.js'

export const BINS = 4096

export function momentsOf(values: ArrayLike<number>): Moments {
  const finite = Array.from(values).filter(Number.isFinite)
  return {
    count: finite.length,
    nonfinite: values.length - finite.length,
    min: finite.reduce((a, b) => Math.min(a, b), finite[0] ?? 0),
    max: finite.reduce((a, b) => Math.max(a, b), finite[0] ?? 0),
    sum: finite.reduce((a, b) => a + b, 0),
    sumOfSquares: finite.reduce((a, b) => a + b * b, 0),
  }
}

export function histogramOf(values: ArrayLike<number>, bins = BINS): Histogram {
  const moments = momentsOf(values)
  const counts = new Float64Array(bins)
  const width = widthFor(moments, bins)
  for (const v of Array.from(values).filter(Number.isFinite)) {
    const bin = (width > 0 ? Math.floor(v / width) : 0) + bins / 2
    counts[bin] = (counts[bin] as number) + 1
  }
  return { ...moments, width, counts }
}

/** The exponential average over runs, one array each, and the rest over all of them. */
export function statisticsOf(values: ArrayLike<number>, runs = [values], momentum = 0.1): Statistics {
  let [low, high] = [0, 0]
  runs.forEach((run, i) => {
    const { min, max } = momentsOf(run)
    const weight = i === 0 ? 1 : momentum
    low += weight * (min - low)
    high += weight * (max - high)
  })
  const moments = momentsOf(values)
  const { count, nonfinite, min, max } = moments
  const extremes = { count, nonfinite, min, max, runs: runs.length, low, high }
  return { moments, histogram: histogramOf(values), extremes }
}

/** The smallest power of two, from 2^-40 on, whose bins cover [min, max]; 0 where nothing was seen. */
function widthFor({ count, min, max }: Moments, bins: number): number {
  if (count === 0) return 0
  let width = 2 ** -40
  while (max >= (bins / 2) * width || min < (-bins / 2) * width) width *= 2
  return width
}
