/** A bias that can take a correction. */
import type { ConstantTensor, Node } from '../../graph/graph.js'

/** A layer whose bias can be corrected. */
export interface BiasTarget {
  /** The value after bias and bounds in the float graph. */
  readonly floatValue: string
  /** The value after the bias in the quantized graph. */
  readonly value: string
  /** Relu and Clip that follow, in order. */
  readonly bounds: readonly Node[]
  /** A shift that is small against what the target gives. */
  readonly step: number
  readonly channelAxis: number
  readonly bias: StoredBias
}

/** A bias as the quantized graph holds it. */
export interface StoredBias {
  readonly constant: string
  /** The node and input that read it; where others do too, the corrected bias gets a name of its own. */
  readonly reader: string
  readonly position: number
  /** What can be added: rounds a wanted correction, one number per channel, to what the bias can hold. */
  correctable(delta: Float64Array): Float64Array
  /** The bias with the correction in it. */
  corrected(delta: Float64Array): ConstantTensor
}
