/** What was measured of a result on held samples. */
import type { OutputQuality } from './output-tally.js'

/** Errors of a value as shares of its variance: noise over signal. */
export interface ValueError {
  /** Of everything up to it. */
  readonly total: number
  /** Of its own rounding and clipping alone, for the float value; undefined where it has no scale. */
  readonly rounding: number | undefined
}

export interface Measurement {
  readonly samples: number
  readonly outputs: readonly OutputQuality[]
  /** By value, in the order of the graph. */
  readonly values: ReadonlyMap<string, ValueError>
}
