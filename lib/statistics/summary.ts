/** What records say at a glance: mean, deviation, edges of bins; and records as they were if values had been clipped. */
import type { Histogram, Moments, StatisticKind, Statistics } from './record.js'

export type Range = readonly [low: number, high: number]

/** Everything. */
export const UNBOUNDED: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

export function meanOf({ count, sum }: Moments): number {
  return count === 0 ? 0 : sum / count
}

export function deviationOf(moments: Moments): number {
  const { count, sumOfSquares } = moments
  if (count === 0) return 0
  const mean = meanOf(moments)
  return Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean))
}

/** Finite elements that were seen, and those that were not finite: every record has them. */
export function seenOf(statistics: Statistics): { readonly count: number; readonly nonfinite: number } {
  for (const kind in statistics) {
    const record = statistics[kind as StatisticKind]
    if (record) return record
  }
  return { count: 0, nonfinite: 0 }
}

/** Extremes and power sums of a value, of whichever statistic has them. */
export function momentsOf({ moments, histogram }: Statistics): Moments | undefined {
  return moments ?? histogram
}

/** Lower edge of bin i. */
export function binEdge({ counts, width }: Histogram, i: number): number {
  return (i - counts.length / 2) * width
}

/** Statistics of the values clipped to a range; sums stay those of the values themselves. */
export function clipStatistics(statistics: Statistics, range: Range): Statistics {
  const { moments, histogram, extremes } = statistics
  const clip = (x: number) => Math.min(range[1], Math.max(range[0], x))
  return {
    ...statistics,
    ...(moments && { moments: { ...moments, min: clip(moments.min), max: clip(moments.max) } }),
    ...(histogram && { histogram: clipHistogram(histogram, range) }),
    ...(extremes && {
      extremes: {
        ...extremes,
        min: clip(extremes.min),
        max: clip(extremes.max),
        low: clip(extremes.low),
        high: clip(extremes.high),
      },
    }),
  }
}

function clipHistogram(histogram: Histogram, [low, high]: Range): Histogram {
  const { min, max, width } = histogram
  if (width === 0 || (min >= low && max <= high)) return histogram
  const clip = (x: number) => Math.min(high, Math.max(low, x))
  const counts = new Float64Array(histogram.counts.length)
  const half = counts.length / 2
  histogram.counts.forEach((n, i) => {
    const bin = Math.floor(clip((i + 0.5 - half) * width) / width) + half
    if (n > 0) counts[bin] = (counts[bin] as number) + n
  })
  return { ...histogram, min: clip(min), max: clip(max), counts }
}
