/** The scales of the weights of every layer (a fusion with constant weights), and of its accumulator and bias. */

import { isSigns } from '../../graph/format.js'
import { floatAttribute, type Graph, intAttribute } from '../../graph/graph.js'
import { floatsOf } from '../../graph/tensor.js'
import { type Fusion, outputChannelAxis } from '../assign/fusions.js'
import { type Method, parametersOf, type Quantization } from '../quantization.js'
import { toScale } from './affine.js'
import { BIAS_LIMIT, biasGuard } from './bias.js'
import type { Layer } from './layer.js'
import { signScales } from './signs.js'
import { scalesOfLevels } from './stored-scales.js'
import { weightScales, weightsOf } from './weight-scales.js'

export const layerScales: Method = async (quantization) => {
  const { fusions, onProgress } = quantization
  const weighted = fusions.integer.filter((fusion) => fusion.weights !== undefined)
  const layers = new Map<Fusion, Layer>()
  const warnings: string[] = [...quantization.warnings]
  const known: Known = new Map()
  for (const fusion of weighted) {
    const { layer, length } = await layerOf(quantization, fusion, known)
    layers.set(fusion, layer)
    if (layer.axis !== undefined && length > safeLength(quantization, layer)) {
      warnings.push(`'${fusion.node.name}' adds up ${length} products; extreme inputs could exceed int32`)
    }
    onProgress({ phase: 'weights', done: layers.size, total: weighted.length })
  }
  return { ...quantization, layers, warnings }
}

/** Scales by tensor and how they lie on it: nodes that share weights share the search. */
type Known = Map<string, Float32Array>

async function layerOf(
  quantization: Quantization,
  fusion: Fusion,
  known: Known,
): Promise<{ readonly layer: Layer; readonly length: number }> {
  const { graph, inference, recipe, weightFormats, settingsOf } = quantization
  const { node, rule, weights = '' } = fusion
  const tensor = graph.constants.get(weights)
  const format = weightFormats.get(fusion)
  if (rule.kind !== 'weighted' || !tensor || !format) {
    throw new RangeError(`node ${node.name} has no constant weights`)
  }
  const { granularity, range } = settingsOf(node).weights
  const rank = tensor.dims.length
  const across = granularity === 'tensor' ? undefined : scaleAxis(fusion, rank)
  // A bit each, spatial weights have their channels in rows.
  const axis = isSigns(format) && rank > 2 && across !== 0 ? undefined : across
  const view = weightsOf(tensor, axis)
  const key = [weights, axis, range, format.bits, format.qmin, format.qmax].join('|')
  const chosen = async () =>
    isSigns(format)
      ? signScales(view, weights, quantization.pace)
      : (scalesOfLevels(view, format, quantization.storedScales) ??
        weightScales(view, range, format, weights, quantization.signal))
  const found = known.get(key) ?? (await chosen())
  known.set(key, found)
  const scales = found.slice()
  const alpha = floatAttribute(node, 'alpha', 1)
  const inputScale = parametersOf(quantization, node.inputs[0] ?? '').scale
  const channelAxis = outputChannelAxis(inference, node, rule)
  const channels = inference.types.get(node.outputs[0] ?? '')?.shape?.[channelAxis]
  const count = typeof channels === 'number' ? channels : view.channels
  const bias = biasOf(graph, fusion, count, recipe.biasCorrection)
  bias?.forEach((b, c) => {
    const i = scales.length === 1 ? 0 : c
    scales[i] = Math.max(scales[i] as number, toScale(biasGuard(b, inputScale * alpha)))
  })
  const accumulatorScales = scales.map((s) => Math.fround(inputScale * Math.fround(s * alpha)))
  const layer = { fusion, weights, format, axis, scales, alpha, bias, accumulatorScales, channelAxis }
  return { layer, length: view.length }
}

/** Products longer than this could wrap int32 if every factor were at its limit, next to the largest bias. */
function safeLength(quantization: Quantization, { fusion, format }: Layer): number {
  const { format: input } = parametersOf(quantization, fusion.node.inputs[0] ?? '')
  // Sums of 16 bits are not held in int32.
  if (input.bits > 8) return Number.POSITIVE_INFINITY
  return Math.floor(BIAS_LIMIT / (Math.max(-format.qmin, format.qmax) * (input.qmax - input.qmin)))
}

/** Per channel where the engine and onnxruntime can: not for groups of a ConvTranspose, nor for stacks of matrices. */
function scaleAxis({ node, rule }: Fusion, rank: number): number | undefined {
  if (rule.kind !== 'weighted') return undefined
  if (rule.bias === undefined && rank !== 2) return undefined
  const axis = rule.channelAxis(node, rank)
  const transposed = axis === 1 && rank > 2 && intAttribute(node, 'group', 1) > 1
  return axis < 0 || transposed ? undefined : axis
}

/** `add`: gives a bias to a node that can have one and does not, for the correction to work on. */
function biasOf(
  graph: Graph,
  { node, rule }: Fusion,
  channels: number,
  add: boolean,
): Float64Array | undefined {
  if (rule.kind !== 'weighted' || rule.bias === undefined) return undefined
  const name = node.inputs[rule.bias] ?? ''
  const constant = graph.constants.get(name)
  if (!constant) return add ? new Float64Array(channels) : undefined
  const beta = floatAttribute(node, 'beta', 1)
  const values = floatsOf(constant)
  return Float64Array.from(
    { length: channels },
    (_, c) => beta * (values[values.length === 1 ? 0 : c] as number),
  )
}
