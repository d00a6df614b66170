/** What an `Observe` step gathered about one value over all samples (docs/steps.md, Observers). */
import { OctavoError } from '../errors.js'

const HEADER = 7

export interface Statistics {
  /** Finite elements seen. */
  readonly count: number
  readonly nonfinite: number
  readonly min: number
  readonly max: number
  readonly sum: number
  readonly sumOfSquares: number
  /** Width of a bin; 0 while every element was 0. */
  readonly width: number
  /** Counts; bin i is [(i - bins/2) * width, (i + 1 - bins/2) * width). */
  readonly histogram: Float64Array
  /** Sum of each channel; empty where channels were not asked for. */
  readonly channelSums: Float64Array
}

/** Reads a state tensor; `bins` as the step was given. The arrays are views of it. */
export function parseStatistics(words: Float64Array, bins: number): Statistics {
  if (words.length < HEADER + bins) {
    throw new OctavoError(
      'ERR_INTERNAL',
      `Observer state has ${words.length} numbers, expected at least ${HEADER + bins}.`,
    )
  }
  const [count, nonfinite, min, max, sum, sumOfSquares, width] = words as unknown as number[]
  return {
    count: count as number,
    nonfinite: nonfinite as number,
    min: min as number,
    max: max as number,
    sum: sum as number,
    sumOfSquares: sumOfSquares as number,
    width: width as number,
    histogram: words.subarray(HEADER, HEADER + bins),
    channelSums: words.subarray(HEADER + bins),
  }
}

export function meanOf(statistics: Statistics): number {
  return statistics.count === 0 ? 0 : statistics.sum / statistics.count
}

export function deviationOf(statistics: Statistics): number {
  if (statistics.count === 0) return 0
  const mean = meanOf(statistics)
  return Math.sqrt(Math.max(0, statistics.sumOfSquares / statistics.count - mean * mean))
}

/** The statistics of values clipped to a range; the sums are those of the values themselves. */
export function clipStatistics(statistics: Statistics, low: number, high: number): Statistics {
  const { min, max, width } = statistics
  if (width === 0 || (min >= low && max <= high)) return statistics
  const clip = (x: number) => Math.min(high, Math.max(low, x))
  const histogram = new Float64Array(statistics.histogram.length)
  const half = histogram.length / 2
  statistics.histogram.forEach((n, i) => {
    const bin = Math.floor(clip((i + 0.5 - half) * width) / width) + half
    if (n > 0) histogram[bin] = (histogram[bin] as number) + n
  })
  return { ...statistics, min: clip(min), max: clip(max), histogram }
}

/** Lower edge of bin i. */
export function binEdge(statistics: Statistics, i: number): number {
  return (i - statistics.histogram.length / 2) * statistics.width
}

/** The same numbers from samples held in memory: what the native step computes, for tests and for constants. */
export function statisticsOf(values: ArrayLike<number>, bins: number): Statistics {
  let count = 0
  let nonfinite = 0
  let min = 0
  let max = 0
  let sum = 0
  let sumOfSquares = 0
  for (let i = 0; i < values.length; ++i) {
    const v = values[i] as number
    if (!Number.isFinite(v)) {
      ++nonfinite
      continue
    }
    min = count === 0 ? v : Math.min(min, v)
    max = count === 0 ? v : Math.max(max, v)
    ++count
    sum += v
    sumOfSquares += v * v
  }
  const histogram = new Float64Array(bins)
  const width = widthFor(min, max, bins)
  if (width > 0) {
    for (let i = 0; i < values.length; ++i) {
      const v = values[i] as number
      if (!Number.isFinite(v)) continue
      const bin = Math.floor(v / width) + bins / 2
      histogram[bin] = (histogram[bin] as number) + 1
    }
  }
  return { count, nonfinite, min, max, sum, sumOfSquares, width, histogram, channelSums: new Float64Array(0) }
}

/** The smallest power of two whose bins cover [min, max]. */
function widthFor(min: number, max: number, bins: number): number {
  const reach = Math.max(-min, max)
  if (reach === 0) return 0
  let width = 2 ** (Math.floor(Math.log2(reach)) - Math.ceil(Math.log2(bins / 2)) - 1)
  while (max >= (bins / 2) * width || min < (-bins / 2) * width) width *= 2
  return width
}
