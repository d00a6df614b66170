/** An observer turns what was seen of a value into the range that its quantized form covers. */
import type { Statistics } from '../statistics.js'

export type Range = readonly [low: number, high: number]

/** What the range is for. */
export interface RangeTarget {
  /** Quantization levels: 256 for 8 bits. */
  readonly levels: number
  /** The range will be widened to [-m, m]. */
  readonly symmetric: boolean
}

export interface ObserverOptions {
  /** percentile: share of the elements, in percent, that the range covers. */
  readonly percentile?: number
  /** mean-std: half width of the range in standard deviations. */
  readonly deviations?: number
  /** moving-average: weight of a new sample. */
  readonly momentum?: number
}

export interface Observer {
  /** `statistics.count` is positive. The answer need not contain 0: that is the business of `quantize/params.ts`. */
  range(statistics: Statistics, target: RangeTarget, options: ObserverOptions): Range
}
