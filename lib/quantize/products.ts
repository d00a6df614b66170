/** The constants of the weighted units: int8 weights with their scales, int32 biases in units of the accumulator. */
import type { Pace } from '../event-loop.js'
import { floatAttribute, type Graph, intAttribute } from '../graph/graph.js'
import { floatsOf } from '../graph/tensor.js'
import type { Inference } from '../ops/core/infer.js'
import { biasOperand } from './absorb.js'
import { biasGuard, type Params, toScale } from './params.js'
import type { Recipe } from './recipe.js'
import { outputChannelAxis, type Unit } from './units.js'
import { channelView, type QuantizedWeights, quantizeWeights, weightScales } from './weights.js'

/** Products longer than this could wrap int32 if every factor were at its limit, next to a bias of 2^30. */
const SAFE_LENGTH = Math.floor(2 ** 30 / (127 * 255))

export interface Product {
  readonly unit: Unit
  readonly weights: QuantizedWeights
  /** Axis of the scales in the weights; undefined: one scale. */
  readonly axis: number | undefined
  /** What the float weights are multiplied by (Gemm's alpha). */
  readonly alpha: number
  /** Real bias per channel; undefined: none, and none wanted. */
  readonly bias: Float64Array | undefined
  /** Real value of one unit of the accumulator, one or per channel, as the engine computes it. */
  readonly units: Float32Array
  /** Axis of the channels in the output. */
  readonly channelAxis: number
  readonly warning: string | undefined
}

export interface ProductOptions {
  readonly recipe: Recipe['weights']
  /** Give a bias to nodes that can have one and do not, for the correction to work on. */
  readonly addBias: boolean
  readonly pace: Pace
  readonly onWeights?: (done: number, total: number) => void
}

/** `paramsOf`: parameters of a quantized value. */
export async function quantizeProducts(
  graph: Graph,
  info: Inference,
  units: readonly Unit[],
  paramsOf: (value: string) => Params,
  options: ProductOptions,
): Promise<ReadonlyMap<Unit, Product>> {
  const weighted = units.filter((u) => u.weights !== undefined)
  const cache = new Map<string, Promise<Float32Array>>()
  const products = new Map<Unit, Product>()
  for (const unit of weighted) {
    products.set(unit, await quantizeProduct(graph, info, unit, paramsOf, options, cache))
    options.onWeights?.(products.size, weighted.length)
  }
  return products
}

async function quantizeProduct(
  graph: Graph,
  info: Inference,
  unit: Unit,
  paramsOf: (value: string) => Params,
  { recipe, addBias, pace }: ProductOptions,
  cache: Map<string, Promise<Float32Array>>,
): Promise<Product> {
  const { node, rule, weights: name = '' } = unit
  const tensor = graph.constants.get(name)
  if (rule.kind !== 'weighted' || !tensor) throw new RangeError(`node ${node.name} has no constant weights`)
  const axis = recipe.granularity === 'tensor' ? undefined : scaleAxis(unit, tensor.dims.length)
  const view = channelView(tensor, axis)
  const key = `${name}|${axis}`
  const known = cache.get(key) ?? weightScales(view, recipe.range, name, pace)
  cache.set(key, known)
  const scales = (await known).slice()
  const alpha = floatAttribute(node, 'alpha', 1)
  const inputScale = paramsOf(node.inputs[0] ?? '').scale
  const channelAxis = outputChannelAxis(info, node, rule)
  const channels = info.types.get(node.outputs[0] ?? '')?.shape?.[channelAxis]
  const bias = biasOf(graph, unit, typeof channels === 'number' ? channels : view.channels, addBias)
  bias?.forEach((b, c) => {
    const i = scales.length === 1 ? 0 : c
    scales[i] = Math.max(scales[i] as number, toScale(biasGuard(b, inputScale * alpha)))
  })
  const quantized = await quantizeWeights(tensor, view, scales, recipe.type, pace)
  const length = view.outer * view.inner
  return {
    unit,
    weights: quantized,
    axis,
    alpha,
    bias,
    units: scales.map((s) => Math.fround(inputScale * Math.fround(s * alpha))),
    channelAxis,
    warning:
      axis !== undefined && length > SAFE_LENGTH
        ? `'${node.name}' adds up ${length} products; extreme inputs could exceed int32`
        : undefined,
  }
}

/** Per channel where the engine and onnxruntime can: not for groups of a ConvTranspose, nor for stacks of matrices. */
function scaleAxis({ node, rule }: Unit, rank: number): number | undefined {
  if (rule.kind !== 'weighted') return undefined
  if (rule.bias === undefined && rank !== 2) return undefined
  const axis = rule.channelAxis(node, rank)
  const transposed = axis === 1 && rank > 2 && intAttribute(node, 'group', 1) > 1
  return axis < 0 || transposed ? undefined : axis
}

function biasOf(
  graph: Graph,
  { node, rule }: Unit,
  channels: number,
  addBias: boolean,
): Float64Array | undefined {
  if (rule.kind !== 'weighted' || rule.bias === undefined) return undefined
  const name = node.inputs[rule.bias] ?? ''
  const constant = graph.constants.get(name)
  if (!constant) return addBias ? new Float64Array(channels) : undefined
  const beta = floatAttribute(node, 'beta', 1)
  const values = floatsOf(constant)
  return Float64Array.from(
    { length: channels },
    (_, c) => beta * (values[values.length === 1 ? 0 : c] as number),
  )
}

/** Where the bias of a unit is added by a node of its own: that node and the position of the vector. */
export function addedBias(
  graph: Graph,
  info: Inference,
  { node, absorbed }: Unit,
): { readonly node: Unit['node']; readonly position: number } | undefined {
  const next = absorbed[0]
  if (!next) return undefined
  const position = biasOperand(graph, info, next, node.outputs[0] ?? '')
  return position < 0 ? undefined : { node: next, position }
}
