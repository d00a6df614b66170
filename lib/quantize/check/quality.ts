/** When outputs are good enough, and how two results compare. */
import type { OutputQuality } from './output-tally.js'

/** Below this an output is warned of: 15 dB, and two for what other samples may show. */
const LEAST_DB = 17
/** The share of rows whose largest element must stay where it is: 95 %, and one for what other samples may show. */
const LEAST_AGREEMENT = 0.96
/** Outputs of which more channels than this share became one number are lost, however large the others are. */
const MOST_LOST = 0.25

/** The SQNR of an output in dB; of one that lost its small channels 0 at most. */
export function decibels({ sqnr, lost }: OutputQuality): number {
  return lost > MOST_LOST ? Math.min(0, sqnr) : sqnr
}

/** Of the worst output. */
export function worst(outputs: readonly OutputQuality[]): number {
  return Math.min(...outputs.map(decibels), Number.POSITIVE_INFINITY)
}

export function isPoor(output: OutputQuality): boolean {
  return decibels(output) < LEAST_DB
}

export function disagrees({ rows, agreeing }: OutputQuality): boolean {
  return rows > 0 && agreeing < LEAST_AGREEMENT * rows
}
