/**
 * Weights that are integers in the file while activations are float there: products, and tables whose rows nodes pick.
 * No Q/DQ is written around such a node; runtimes that can quantize its activations while they run.
 */
import type { Format, Granularity } from '../../graph/format.js'
import type { ConstantTensor, Graph, Node } from '../../graph/graph.js'
import { elementCount } from '../../graph/tensor.js'
import { findOp } from '../../ops/registry.js'
import type { Quantization } from '../quantization.js'
import { isStatic, weightFormat } from '../recipe/levels.js'
import type { NodeSettings } from '../recipe/settings.js'
import type { Recipe, WeightSettings } from '../recipe/types.js'
import { scaleDims } from '../scales/weight-blocks.js'
import { dynamicForm } from './dynamic-form.js'
import { fileForm } from './file-form.js'
import { isTableOfDynamic, picksRows } from './tables.js'
import type { WeightOnly } from './weight-choice.js'

/** Why a node without activation rules of its own stays as it is. */
export const FLOAT_ACTIVATIONS = 'its activations are float'

/** Why a node stays as it is where activations are quantized for products alone. */
export const RUNNING_ACTIVATIONS =
  'is no product of constant weights: others read no integers that a run makes'

/** Why a product of signs needs no quantized activations. */
export const SIGN_ACTIVATIONS = 'its activations are signs already'

/** Bytes that the nodes and names of quantized weights take in the file, about. */
const NODE_BYTES = 96

/** Which input holds the weights, the axis along which the product adds them up, and that of its output channels. */
interface Axes {
  readonly position: number
  readonly summed?: number
  readonly channel: number
}

/**
 * The quantization with its weight-only nodes; the reasons of others are among those of float ones.
 * `signs`: products that keep their activations although these have a static type.
 */
export function withWeightOnly(quantization: Quantization, signs: ReadonlySet<string>): Quantization {
  const { graph, settingsOf, fusions, pins, recipe } = quantization
  const found = new Map<string, WeightOnly>()
  const float = new Map(fusions.float)
  for (const node of graph.nodes) {
    const settings = settingsOf(node)
    const axes = axesOf(graph, node)
    const isSign = signs.has(node.name)
    if ((isStatic(settings.activations) && !isSign) || settings.exclude || !axes) continue
    const pinned = pins.get(node.name)
    if (pinned !== undefined) {
      float.set(node.name, pinned)
      continue
    }
    if (isTableOfDynamic(node, settings)) continue
    const chosen = choose(graph, node, axes, settings, recipe.file)
    if (typeof chosen === 'string') float.set(node.name, chosen)
    else {
      found.set(node.name, { ...chosen, isSign })
      float.delete(node.name)
    }
  }
  return { ...quantization, weightOnly: found, fusions: { ...fusions, float } }
}

/** Undefined: the node has no weights. */
function axesOf({ constants }: Graph, node: Node): Axes | undefined {
  const rule = findOp(node.domain, node.opType)?.quantize
  if (rule?.kind === 'weighted') {
    const position = rule.weight
    const rank = constants.get(node.inputs[position] ?? '')?.dims.length ?? 0
    const axis = rule.channelAxis(node, rank)
    // A grouped ConvTranspose: channel m of every group shares a scale, which a DequantizeLinear can say.
    const channel = axis < 0 ? 1 : axis
    return rank === 2 ? { position, summed: 1 - channel, channel } : { position, channel }
  }
  const table = constants.get(node.inputs[0] ?? '')
  if (table?.dtype !== 'float32' || table.dims.length < 2 || !picksRows(node, node.inputs[0] as string))
    return undefined
  return { position: 0, summed: table.dims.length - 1, channel: 0 }
}

/** What the file stores, or why the node keeps float weights. */
function choose(
  graph: Graph,
  node: Node,
  axes: Axes,
  settings: NodeSettings,
  file: Recipe['file'],
): Omit<WeightOnly, 'isSign'> | string {
  const { weights, forced } = settings
  const name = node.inputs[axes.position] ?? ''
  const tensor = graph.constants.get(name)
  if (!tensor) return 'its weights are not constants'
  if (tensor.dtype !== 'float32') return 'its weights are not float32'
  if (node.opType === 'MatMul' && tensor.dims.length !== 2) return 'its weights are not one matrix'
  if (graph.outputs.includes(name)) return 'its weights are an output of the model'
  const format = weightFormat(weights)
  const granularity = granularityOf(axes, weights, tensor.dims.length)
  const saved = 4 * elementCount(tensor.dims) - storedBytes(tensor, format, granularity, weights.symmetric)
  if (saved <= 0 && !forced)
    return `its ${elementCount(tensor.dims)} weights would take no less in ${weights.type}`
  const form =
    dynamicForm(graph, node, tensor.dims, settings) ?? fileForm(file, node, tensor.dims, format, granularity)
  const { position, summed } = axes
  return { node, weights: name, position, summed, format, granularity, settings: weights, form }
}

/** Groups lie along the axis that is added up; spatial weights have none, and get a scale a channel. */
function granularityOf(
  { summed, channel }: Axes,
  { type, granularity, group = 32 }: WeightSettings,
  rank: number,
): Granularity {
  // A bit each, spatial weights have their channels in rows.
  if (granularity === 'tensor' || (type === 'w1' && rank > 2 && channel !== 0)) return { kind: 'tensor' }
  if (granularity === 'group' && summed !== undefined) return { kind: 'block', axis: summed, size: group }
  return { kind: 'channel', axis: channel }
}

function storedBytes(
  { dims }: ConstantTensor,
  { bits }: Format,
  granularity: Granularity,
  symmetric: boolean,
): number {
  const count = elementCount(scaleDims(dims, granularity))
  return NODE_BYTES + (elementCount(dims) * bits) / 8 + count * (symmetric ? 4 : 4 + bits / 8)
}
