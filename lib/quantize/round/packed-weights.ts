/** The weights of a weight-only format as the file holds them. */
import type { ConstantTensor } from '../../graph/graph.js'

export interface PackedWeights {
  readonly levels: ConstantTensor
  /** float32. */
  readonly scales: ConstantTensor
  /** Undefined: 0. */
  readonly zeroPoints: ConstantTensor | undefined
}
