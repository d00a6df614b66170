/** What writing gives: the graph, and where its constants are. */
import type { Graph } from '../../graph/graph.js'
import type { AffineParameters } from '../scales/affine.js'
import type { Layer } from '../scales/layer.js'
import type { StoredTensor } from './nodes.js'

export interface QdqGraph {
  readonly graph: Graph
  /** The integer form of the values that have one, by their names in the float graph. */
  readonly values: ReadonlyMap<string, StoredTensor>
  /** The constant that holds the int32 bias of a layer. */
  readonly biases: ReadonlyMap<Layer, string>
  /** Parameters of constants that are operands of integer nodes, by the name of the constant. */
  readonly operands: ReadonlyMap<string, AffineParameters>
}
