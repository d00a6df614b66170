/** Warns of what the recipe says of nodes that the model does not have: most likely a name is spelt otherwise. */
import type { Method } from '../quantization.js'
import { unmatched } from '../recipe/settings.js'

export const warnOfUnmatched: Method = (quantization) => {
  const { recipe, graph, warnings } = quantization
  return { ...quantization, warnings: [...warnings, ...unmatched(recipe, graph.nodes)] }
}
