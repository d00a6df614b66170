/** Weights of a recurrent layer as the file holds them. */
import type { Format } from '../../graph/format.js'

export interface RecurrentWeights {
  /** The float constant. */
  readonly name: string
  /** Which input of the node it is. */
  readonly position: number
  /** [directions, gates * hidden, columns] */
  readonly dims: readonly number[]
  readonly format: Format
  /** One byte an element. */
  readonly levels: Uint8Array
  /** One, or one for each row of each direction. */
  readonly scales: Float32Array
  readonly perRow: boolean
}
