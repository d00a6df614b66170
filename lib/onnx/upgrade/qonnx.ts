/**
 * Quantizers of QONNX (Brevitas, FINN), which give real numbers, as QuantizeLinear and DequantizeLinear:
 *
 *     Quant(x, scale, zeropt, bitwidth)  =>  DequantizeLinear(QuantizeLinear(Clip(x), s, z), s, z)
 *     BipolarQuant(x, scale)             =>  DequantizeLinear(QuantizeLinear(x >= 0 ? s : -s, s), s)
 *     the same of constant weights       =>  DequantizeLinear(q, s, z), q: the smallest type that holds the levels
 *
 * Levels are those of the definition, scale * (round(clip(x / scale + zeropt)) - zeropt), but that QuantizeLinear adds the zero point after
 * rounding, which gives another of two levels that are equally near, where the zero point is odd. Where no type holds the levels, or the
 * model computes the parameters, Quant is spelled out in real numbers. Source: the definitions of QONNX's custom operators.
 */
import { FORMATS, type QuantizedDType, roundHalfEven } from '../../graph/format.js'
import { type ConstantTensor, intAttribute, type Node, stringAttribute } from '../../graph/graph.js'
import { elementCount, floatsOf, numbersOf, scalar, tensorFromNumbers } from '../../graph/tensor.js'
import type { Upgrade, UpgradeContext } from './context.js'
import { NodeList, type Parameters } from './quantizers.js'

interface Levels {
  readonly least: number
  readonly most: number
}

/** Names that round half to even. */
const ROUNDING = ['ROUND', 'HALF_EVEN']

export const quant: Upgrade = (node, context) => {
  const mode = stringAttribute(node, 'rounding_mode', 'ROUND').toUpperCase()
  if (!ROUNDING.includes(mode)) context.fail(`expected rounding_mode ${ROUNDING.join(' or ')}, got ${mode}`)
  const [x = '', scale = '', zero = '', width = ''] = node.inputs
  const signed = intAttribute(node, 'signed', 1) !== 0
  const levels = levelsOf(bitsOf(context, width), signed, intAttribute(node, 'narrow', 0) !== 0)
  const parameters = parametersOf(context, x, scale, zero)
  const weights = weightsOf(context, x)
  const dtype = parameters && typeFor(weights !== undefined, levels, signed, parameters.zero)
  if (!parameters || !dtype) return spelledOut(node, context, levels)
  const nodes = new NodeList(context)
  const output = node.outputs[0] ?? ''
  if (weights) {
    return nodes.weights(weights, output, parameters, dtype, (v, s, z) => {
      const level = roundHalfEven(Math.fround(v / s)) + z
      return Math.min(levels.most, Math.max(levels.least, level))
    })
  }
  const { qmin, qmax } = FORMATS[dtype]
  const whole = levels.least === qmin && levels.most === qmax
  const within = whole ? x : clipped(nodes, context, x, levels, parameters)
  return nodes.quantized(within, output, parameters, dtype)
}

export const bipolarQuant: Upgrade = (node, context) => {
  const [x = '', scale = ''] = node.inputs
  const output = node.outputs[0] ?? ''
  const parameters = parametersOf(context, x, scale, '')
  const weights = weightsOf(context, x)
  const nodes = new NodeList(context)
  if (parameters && weights)
    return nodes.weights(weights, output, parameters, 'int2', (v) => (v >= 0 ? 1 : -1))
  const zero = context.constant('zero', scalar('float32', 0))
  const positive = nodes.add('GreaterOrEqual', 'positive', [x, zero])
  const signs = [positive, scale, nodes.add('Neg', 'negative', [scale])]
  return parameters
    ? nodes.quantized(nodes.add('Where', 'signs', signs), output, parameters, 'int8')
    : nodes.end('Where', signs, output)
}

function weightsOf(context: UpgradeContext, x: string): ConstantTensor | undefined {
  const constant = context.constantOf(x)
  return constant?.dtype === 'float32' ? constant : undefined
}

function bitsOf(context: UpgradeContext, width: string): number {
  const constant = context.constantOf(width)
  const bits = constant ? [...numbersOf(constant)] : []
  const [first] = bits
  if (first === undefined || bits.some((b) => b !== first))
    return context.fail('expected a bitwidth that is one constant number')
  return Number.isInteger(first) && first >= 1
    ? first
    : context.fail(`expected a bitwidth that is a whole number of at least 1, got ${first}`)
}

function levelsOf(bits: number, signed: boolean, narrow: boolean): Levels {
  const taken = narrow ? 1 : 0
  if (!signed) return { least: 0, most: 2 ** bits - 1 - taken }
  return { least: -(2 ** (bits - 1)) + taken, most: 2 ** (bits - 1) - 1 }
}

/** Undefined: the model computes them, or they lie along several axes. */
function parametersOf(
  context: UpgradeContext,
  x: string,
  scale: string,
  zero: string,
): Parameters | undefined {
  const scales = context.constantOf(scale)
  const zeros = zero === '' ? scalar('float32', 0) : context.constantOf(zero)
  if (scales?.dtype !== 'float32' || !zeros) return undefined
  const values = floatsOf(scales)
  const bad = values.find((v) => !(v > 0 && v < Number.POSITIVE_INFINITY))
  if (bad !== undefined) context.fail(`expected scales that are finite and above 0, got ${bad}`)
  const rank = (context.constantOf(x)?.dims ?? context.typeOf(x)?.shape)?.length
  const axes = [scales, zeros].flatMap(({ dims }) => dims.flatMap((d, i) => (d === 1 ? [] : i - dims.length)))
  const [last = -1, ...others] = new Set(axes)
  if (others.length > 0 || (rank !== undefined && -last > rank && axes.length > 0)) return undefined
  const { dims } = values.length > 1 ? scales : zeros
  const count = elementCount(dims)
  const spread = (of: ArrayLike<number>) =>
    Array.from({ length: count }, (_, i) => of[of.length === 1 ? 0 : i] as number)
  const axis = rank === undefined ? last : last + rank
  return { scales: Float32Array.from(spread(values)), zero: spread(numbersOf(zeros)), axis, dims }
}

/** The smallest type that holds the levels and the zero points; of activations none under a byte. */
function typeFor(
  isConstant: boolean,
  { least, most }: Levels,
  signed: boolean,
  zeros: readonly number[],
): QuantizedDType | undefined {
  const types: readonly QuantizedDType[] = signed
    ? ['int2', 'int4', 'int8', 'int16']
    : ['uint2', 'uint4', 'uint8', 'uint16']
  return types.slice(isConstant ? 0 : 2).find((type) => {
    const { qmin, qmax } = FORMATS[type]
    const fits = (level: number) => Number.isInteger(level) && level >= qmin && level <= qmax
    return fits(least) && fits(most) && zeros.every(fits)
  })
}

/** x within the least and the greatest level. */
function clipped(
  nodes: NodeList,
  context: UpgradeContext,
  x: string,
  { least, most }: Levels,
  { scales, zero, dims }: Parameters,
): string {
  const bound = (suffix: string, level: number) => {
    const values = Array.from(scales, (s, i) => (level - (zero[i] as number)) * s)
    return context.constant(suffix, tensorFromNumbers('float32', scales.length === 1 ? [] : dims, values))
  }
  const [low, high] = [bound('least', least), bound('most', most)]
  if (scales.length === 1) return nodes.add('Clip', 'clipped', [x, low, high])
  return nodes.add('Min', 'clipped', [nodes.add('Max', 'raised', [x, low]), high])
}

/** By the definition, in float32. */
function spelledOut(node: Node, context: UpgradeContext, { least, most }: Levels): readonly Node[] {
  const [x = '', scale = '', zero = ''] = node.inputs
  const nodes = new NodeList(context)
  const bound = (suffix: string, level: number) => context.constant(suffix, scalar('float32', level))
  const shifted = nodes.add('Add', 'shifted', [nodes.add('Div', 'scaled', [x, scale]), zero])
  const ends = nodes.add('Clip', 'clipped', [shifted, bound('least', least), bound('most', most)])
  const centred = nodes.add('Sub', 'centred', [nodes.add('Round', 'level', [ends]), zero])
  return nodes.end('Mul', [centred, scale], node.outputs[0] ?? '')
}
