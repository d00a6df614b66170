/** What a recipe says of one node. */
import type { Node } from '../../graph/graph.js'
import { excluder, type Recipe } from './recipe.js'

export interface NodeSettings {
  /** The node stays in float. */
  readonly exclude: boolean
  /** Of its weights. */
  readonly weights: Recipe['weights']
  /** Of the values that it makes. */
  readonly activations: Recipe['activations']
}

/** A node is also found by the names of the nodes of the file that it stands for. */
export function settingsOf(recipe: Recipe): (node: Node) => NodeSettings {
  const excluded = excluder(recipe.exclude)
  const { weights, activations } = recipe
  return (node) => ({
    exclude: [node.name, ...(node.origin ?? [])].some(excluded),
    weights,
    activations,
  })
}
