/** Sums of values by channel: what means are made of. */
import type { HeldSample } from '../../calibrate/reservoir.js'
import type { Statistics } from '../../statistics/record.js'

export interface ChannelSums {
  readonly sums: Float64Array
  /** Elements of one channel. */
  readonly count: number
}

export function channelSumsOf(statistics: Statistics | undefined): ChannelSums {
  const { sums, count } = statistics?.channelSums ?? { sums: new Float64Array(0), count: 0 }
  return { sums, count: count / sums.length }
}

/** Sums of a float value, one entry for each sample. */
export function floatSums(held: readonly HeldSample[], value: string): ChannelSums[] {
  return held.map(({ statistics }) => channelSumsOf(statistics.get(value)))
}
