/** A layer: a fusion with constant weights, and what its scales are. */
import type { Format } from '../../graph/format.js'
import type { Fusion } from '../assign/fusions.js'

export interface Layer {
  readonly fusion: Fusion
  /** The constant that holds its weights. */
  readonly weights: string
  readonly format: Format
  /** Axis of the scales in the weights; undefined: one scale. */
  readonly axis: number | undefined
  /** Scales of the weights. */
  readonly scales: Float32Array
  /** What the float weights are multiplied by (Gemm's alpha). */
  readonly alpha: number
  /** Real bias per channel; undefined: none, and none wanted. */
  readonly bias: Float64Array | undefined
  /** Real value of one step of the accumulator, one or per channel, as the engine computes it. */
  readonly accumulatorScales: Float32Array
  /** Axis of the channels in the output. */
  readonly channelAxis: number
}
