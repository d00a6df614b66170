/** A node whose weights are integers in the file while its activations are float there. */
import type { Format, Granularity } from '../../graph/format.js'
import type { Node } from '../../graph/graph.js'
import type { WeightSettings } from '../recipe/types.js'
import type { FileForm } from './file-form.js'

export interface WeightOnly {
  readonly node: Node
  /** The constant, and which input of the node it is. */
  readonly weights: string
  readonly position: number
  /** The axis of a matrix that the product adds up, of a table its last one; undefined: spatial weights. */
  readonly summed: number | undefined
  readonly format: Format
  /** How scales lie over the constant. */
  readonly granularity: Granularity
  readonly settings: WeightSettings
  readonly form: FileForm
  /** A product whose activations and weights are signs: bits are counted. */
  readonly isSign: boolean
}
