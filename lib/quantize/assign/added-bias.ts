/** A bias that a node of its own adds to a product, such as the Add after a MatMul. */
import type { Graph, Node } from '../../graph/graph.js'
import type { Inference } from '../../ops/core/infer.js'
import { biasOperand } from './fusable.js'
import type { Fusion } from './fusions.js'

export interface AddedBias {
  /** The node that adds it. */
  readonly node: Node
  /** Which input of the node is the vector. */
  readonly position: number
}

/** Undefined where the product has its bias as an input, or none. */
export function addedBias(graph: Graph, info: Inference, { node, fused }: Fusion): AddedBias | undefined {
  const next = fused[0]
  if (!next) return undefined
  const position = biasOperand(graph, info, next, node.outputs[0] ?? '')
  return position < 0 ? undefined : { node: next, position }
}
