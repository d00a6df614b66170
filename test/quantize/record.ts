/** Records of quantizations under way, for tests of single stages. */
import type { Graph } from '../../lib/graph/graph.js'
import { inferGraph } from '../../lib/ops/core/infer.js'
import { assignFormats } from '../../lib/quantize/assign/assign.js'
import { begin } from '../../lib/quantize/begin.js'
import type { Method, Quantization } from '../../lib/quantize/quantization.js'
import { parseRecipe } from '../../lib/quantize/recipe/recipe.js'
import type { RecipeOptions } from '../../lib/quantize/recipe/types.js'

/** The record before its first stage. */
export function begun(
  graph: Graph,
  options: RecipeOptions = {},
  rest: Partial<Parameters<typeof begin>[0]> = {},
): Quantization {
  const start = begin({ graph, recipe: parseRecipe(options), data: [], ...rest })
  return { ...start, inference: inferGraph(graph) }
}

export async function through(quantization: Quantization, methods: readonly Method[]): Promise<Quantization> {
  let current = quantization
  for (const method of methods) current = await method(current)
  return current
}

/** The record with its nodes, values and formats assigned. */
export function assigned(graph: Graph, options: RecipeOptions = {}): Promise<Quantization> {
  return through(begun(graph, options), [assignFormats])
}
