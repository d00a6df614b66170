/** quantize(): a float ONNX model and data in, a quantized ONNX model in QDQ form out. */
import { stat } from 'node:fs/promises'
import type { DataSource } from '../calibrate/data.js'
import { typeError } from '../errors.js'
import { byteLength } from '../graph/dtype.js'
import type { Graph } from '../graph/graph.js'
import { elementCount } from '../graph/tensor.js'
import { type ReadOptions, readModel, writeModel } from '../onnx/index.js'
import { decompose } from '../ops/registry.js'
import { begin } from './begin.js'
import { requireGain } from './gained.js'
import type { Progress } from './progress.js'
import { isStatic } from './recipe/levels.js'
import { parseRecipe } from './recipe/recipe.js'
import type { Recipe, RecipeOptions } from './recipe/types.js'
import { type QuantizationReport, reportOf } from './report.js'
import { runStages } from './stages.js'

export type { DataSource } from '../calibrate/data.js'
export type { Progress } from './progress.js'
export type {
  ActivationSettings,
  ActivationType,
  Levels,
  NodePattern,
  Pattern,
  PatternOption,
  PatternSource,
  PresetName,
  QuantizedType,
  Recipe,
  RecipeOptions,
  Rule,
  RuleMatch,
  RuleOptions,
  WeightSettings,
  WeightType,
} from './recipe/types.js'
export type {
  QuantizationCheck,
  QuantizationReport,
  QuantizedValueReport,
  QuantizedWeightsReport,
} from './report.js'

/** Options of `quantize`: the recipe, where the defaults are not wanted, and the data. */
export interface QuantizeOptions extends RecipeOptions {
  /**
   * Samples that the model will meet in use; streamed, never held. One pass is enough. Activations that are quantized by scales of
   * samples need them; with `dynamic`, `block` or `float` activations they only serve the check of the result.
   */
  readonly data?: DataSource
  /** Called after each sample, weight tensor and layer, with the phase that it belongs to. */
  readonly onProgress?: (progress: Progress) => void
  /** Aborting it stops the work between two steps; `quantize` then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Gives a file even if nothing of the model was quantized, which is an error otherwise. Default false. */
  readonly force?: boolean
  /** Files of external data, where `model` is bytes or they are not in its folder. */
  readonly externalData?: ReadOptions['externalData']
}

/** What `quantize` gives. */
export interface QuantizeResult {
  /** The quantized ONNX file. The same model, data and options give the same bytes. */
  readonly model: Uint8Array
  /** The options with all defaults: gives the same bytes again, on the same instruction set, at any number of threads. */
  readonly recipe: Recipe
  /** What was done: which nodes compute in integers, ranges, scales, warnings. */
  readonly report: QuantizationReport
}

/** Quantizes a float model (a path, or the bytes of the file). */
export async function quantize(
  model: string | Uint8Array,
  options: QuantizeOptions = {},
): Promise<QuantizeResult> {
  if (typeof model !== 'string' && !(model instanceof Uint8Array)) {
    throw typeError("'model' must be a path or a Uint8Array with the bytes of an ONNX file.")
  }
  if (typeof options !== 'object' || options === null) throw typeError("'options' must be an object.")
  const { data, onProgress, signal, externalData, force = false } = options
  const recipe = parseRecipe(options)
  if (data === undefined) requireNoSamples(recipe)
  signal?.throwIfAborted()
  const source = await readModel(model, { externalData, signal })
  const done = await runStages(begin({ graph: source.graph, recipe, data, onProgress, signal }))
  if (!force) requireGain(done)
  const graph = done.quantized?.graph ?? done.nested
  const signsAsBits = [recipe, ...recipe.rules].some(({ weights }) => weights?.type === 'w1')
  const bytes = writeModel({ ...source, graph }, { decompose, signsAsBits })
  const sizes = { float: await floatBytes(model, source.graph), quantized: bytes.byteLength }
  return { model: bytes, recipe, report: reportOf(done, sizes) }
}

/** Throws a TypeError where something is quantized by scales that only samples tell. */
function requireNoSamples(recipe: Recipe): void {
  const settings = [recipe.activations, ...recipe.rules.map((rule) => rule.activations ?? {})]
  const found = settings.find(({ type }) => type !== undefined && isStatic({ type }))
  if (!found) return
  throw typeError(
    `'options.data' is missing: activations of type '${found.type}' need samples ({ [input]: Tensor }) to calibrate on. Without samples, take activations 'dynamic', 'block' or 'float', as presets 'int8-dynamic' and 'int4-weights' do.`,
  )
}

/** Bytes of the float model, external data included. */
async function floatBytes(model: string | Uint8Array, { constants }: Graph): Promise<number> {
  const file = typeof model === 'string' ? (await stat(model)).size : model.byteLength
  const inside = [...constants.values()].reduce(
    (n, { dtype, dims }) => n + byteLength(dtype, elementCount(dims)),
    0,
  )
  return Math.max(file, inside)
}
