/** What is not needed to run a model is loaded when it is first called. */
import type { QuantizeOptions, QuantizeResult } from './quantize/index.js'
import type { CompareOptions, Comparison } from './report/compare.js'
import type { ExplainOptions, Explanation } from './report/explain.js'
import type { Inspection, InspectOptions } from './report/inspect.js'

/** Quantizes a float model (a path, or the bytes of the file) to int8. */
export async function quantize(
  model: string | Uint8Array,
  options: QuantizeOptions,
): Promise<QuantizeResult> {
  const tool = await import('./quantize/index.js')
  return tool.quantize(model, options)
}

/** How far the outputs of two models are apart, and where the difference comes from. */
export async function compare(
  float: string | Uint8Array,
  int8: string | Uint8Array,
  options: CompareOptions,
): Promise<Comparison> {
  const tool = await import('./report/compare.js')
  return tool.compare(float, int8, options)
}

/** For every node of a model: integer or float, by which kernel, and why. */
export async function explain(
  model: string | Uint8Array,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const tool = await import('./report/explain.js')
  return tool.explain(model, options)
}

/** What a model file holds. */
export async function inspect(model: string | Uint8Array, options: InspectOptions = {}): Promise<Inspection> {
  const tool = await import('./report/inspect.js')
  return tool.inspect(model, options)
}
