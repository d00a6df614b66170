/** Conv, ConvTranspose and MatMul: integer products with per-tensor or per-channel weights and an int32 bias. */
import { formatOf, type Granularity, type Quantized, ROUNDER } from '../../../graph/format.js'
import { floatsOf, intOf, ints, intsOf } from '../../../plan/attributes.js'
import { attributesOf, type BuiltStep, steps } from '../../../plan/build.js'
import { addAlias, addTensor, constantBytes, type Draft, isConstant } from '../../../plan/draft.js'
import { operand, quantizedOperand } from '../../../plan/operands.js'
import type { PlanTensor } from '../../../plan/plan.js'
import { floatConstant, isPerTensor } from '../params.js'
import type { IntegerRule, RuleContext } from '../rule.js'

export const conv: IntegerRule = {
  floatOutput: true,
  takes16Bits: true,
  apply: (context) => convolution(context, 'QConv', 0),
}

export const convTranspose: IntegerRule = {
  floatOutput: true,
  takes16Bits: true,
  apply(context) {
    const group = intOf(context.step, 'group', 1)
    const w = weightView(context, operand(context.step, 'w'))
    if (w?.granularity.kind === 'channel' && group > 1)
      return 'per-channel weights of a grouped ConvTranspose'
    return convolution(context, 'QConvTranspose', 1)
  },
}

function convolution(
  context: RuleContext,
  op: 'QConv' | 'QConvTranspose',
  channelAxis: number,
): BuiltStep | string {
  const { step } = context
  const residual = step.op === 'Conv' ? operand(step, 'residual') : -1
  if (step.attributes.fn !== undefined || residual >= 0) return 'it is fused with a float activation'
  const x = context.view(operand(step, 'x'))
  if (!x) return 'its input is not quantized'
  const w = weightView(context, operand(step, 'w'))
  if (!w) return 'its weights are not quantized to 8 bits or fewer'
  if ((context.draft.tensors[w.tensor] as PlanTensor).dims.length > 4)
    return 'a convolution along 3 axes has no integer form'
  const axis = channelAxisOf(w.granularity)
  if (axis !== undefined && axis !== channelAxis) return `its weights are quantized along axis ${axis}`
  const y = context.target
  const bias = biasOf(context, x, w, operand(step, 'bias'))
  if (typeof bias === 'string') return bias
  const { strides, pads, dilations, group } = attributesOf('Conv', step)
  return steps[op]({ x, w, y, bias }, { strides, pads, dilations, group, ...y?.bounds })
}

export const matMul: IntegerRule = {
  floatOutput: true,
  takes16Bits: true,
  apply(context) {
    const { step, draft } = context
    if (step.attributes.fn !== undefined) return 'it is fused with a float activation'
    if ((floatsOf(step, 'alpha')[0] ?? 1) !== 1) return 'alpha is not 1'
    const real = operand(step, 'bias')
    if (real >= 0 && (floatsOf(step, 'beta')[0] ?? 1) !== 1) return 'beta is not 1'
    const stated = operand(step, 'b')
    const right = turnedWeights(context, stated) ?? stated
    const transposed = (intOf(step, 'trans_b', 0) === 1) !== (right !== stated)
    const a = context.view(operand(step, 'a'))
    const b = weightView(context, right) ?? context.view(right)
    if (!a) return 'its first input is not quantized'
    if (!b) return 'its second input is not quantized'
    if (b.format.bits === 16) return 'its second input has 16 bits'
    const rank = (draft.tensors[right] as PlanTensor).dims.length
    const column = rank - (transposed ? 2 : 1)
    const axis = channelAxisOf(b.granularity)
    if (axis !== undefined && (axis !== column || rank !== 2))
      return `its weights are quantized along axis ${axis}`
    const y = context.target
    const bias = biasOf(context, a, b, real)
    if (typeof bias === 'string') return bias
    const trans_a = ints(intOf(step, 'trans_a', 0))
    const trans_b = ints(transposed ? 1 : 0)
    return steps.QMatMul({ a, b, y, bias }, { trans_a, trans_b, ...y?.bounds })
  },
}

/** The matrix whose Transpose a product reads, where that is one of dequantized levels: fewer than 8 bits are not moved. */
function turnedWeights({ producer }: RuleContext, t: number): number | undefined {
  const transpose = producer(t)
  if (transpose?.op !== 'Transpose' || intsOf(transpose, 'perm').join() !== '1,0') return undefined
  const matrix = operand(transpose, 'x')
  return producer(matrix)?.op === 'DequantizeLinear' ? matrix : undefined
}

/** Constant weights of 8 bits or fewer that a DequantizeLinear reads, with one scale or one per index of an axis. */
function weightView({ draft, producer }: RuleContext, t: number): Quantized<number> | undefined {
  const dequantize = producer(t)
  if (dequantize?.op !== 'DequantizeLinear') return undefined
  const stored = quantizedOperand(dequantize, 'x')
  const { dims } = draft.tensors[t] as PlanTensor
  const w = { ...stored, tensor: addAlias(draft, stored.tensor, dims) }
  const { dtype, dims: storedDims } = draft.tensors[stored.tensor] as PlanTensor
  const format = formatOf(dtype)
  if (!format || format.bits > 8 || !isConstant(draft, w.tensor)) return undefined
  if (intOf(dequantize, 'block_size', 0) !== 0) return undefined
  // Integer steps multiply by positive numbers; scales that a run computes are checked by it.
  if (floatConstant(draft, w.scale)?.some((s) => !(s > 0))) return undefined
  if (isPerTensor(draft, w.scale)) return { ...w, format, granularity: { kind: 'tensor' } }
  const axis = axisIn(dims, storedDims, intOf(dequantize, 'axis', 1))
  return axis < 0 ? undefined : { ...w, format, granularity: { kind: 'channel', axis } }
}

/** Where an axis of a tensor lies among those of another one with the same elements; -1: it is none of them. */
function axisIn(dims: PlanTensor['dims'], stored: PlanTensor['dims'], axis: number): number {
  const before = (list: PlanTensor['dims'], end: number) =>
    list.slice(0, end).reduce<number>((n, d) => n * (d as number), 1)
  return dims.findIndex((d, i) => d === stored[axis] && before(dims, i) === before(stored, axis))
}

/** undefined: one scale for the tensor. */
function channelAxisOf(granularity: Granularity): number | undefined {
  return granularity.kind === 'channel' ? granularity.axis : undefined
}

/**
 * The bias in units of x_scale * w_scale: the file's int32 tensor where it is quantized so, else the real
 * bias rounded; with float output a float bias is added as it is.
 */
function biasOf(
  context: RuleContext,
  x: Quantized<number>,
  w: Quantized<number>,
  bias: number,
): number | string {
  if (bias < 0) return -1
  const { draft } = context
  const xScale = floatConstant(draft, x.scale)?.[0]
  const wScale = floatConstant(draft, w.scale)
  if (xScale === undefined || wScale === undefined) return 'its scales are not constants'
  const units: Units = { xScale, wScale }
  const producer = context.producer(bias)
  if (producer?.op === 'DequantizeLinear') {
    const { tensor, scale, zeroPoint = -1 } = quantizedOperand(producer, 'x')
    const scales = floatConstant(draft, scale)
    const bytes = constantBytes(draft, tensor)
    const zero = zeroPoint < 0 || isZero(constantBytes(draft, zeroPoint))
    if (draft.tensors[tensor]?.dtype !== 'int32' || !scales || !bytes || !zero) return 'its bias is not int32'
    if (areUnits(scales, units)) return flat(draft, tensor)
    const stored = new Int32Array(new Uint8Array(bytes).buffer)
    const real = Float32Array.from(stored, (q, i) => q * (scales[scales.length === 1 ? 0 : i] as number))
    return addBias(draft, quantizeBias(real, units))
  }
  const real = floatConstant(draft, bias)
  const n = wScale.length === 1 ? real?.length : wScale.length
  if (!real || real.length !== n) return 'its bias is not a constant vector'
  if (!context.target) return flat(draft, bias)
  // Scales of 16 bits are small: a bias of such units may be longer than int32, where one of 8 bits would saturate.
  if (x.format.bits === 16 && !fitsInt32(real, units))
    return 'its bias does not fit in int32 units of its scales'
  return addBias(draft, quantizeBias(real, units))
}

/** Compared as a block: a call per byte of a wide layer would take milliseconds. */
function isZero(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && Buffer.alloc(bytes.length).equals(bytes)
}

/** What one unit of each channel's accumulator is: xScale * wScale, in float32. */
interface Units {
  readonly xScale: number
  /** One, or one per channel. */
  readonly wScale: Float32Array
}

// The loops below run once per channel of a network, most often before they are compiled: without calls they take a third.

/** Equal but for the rounding of whoever computed the product. */
function areUnits(scales: Float32Array, { xScale, wScale }: Units): boolean {
  const n = Math.max(scales.length, wScale.length)
  for (let i = 0; i < n; ++i) {
    const scale = scales[scales.length === 1 ? 0 : i] as number
    const unit = Math.fround(xScale * (wScale[wScale.length === 1 ? 0 : i] as number))
    if (scale !== unit && !(Math.abs(scale - unit) <= 1e-6 * Math.abs(unit))) return false
  }
  return true
}

const LIMIT = 2 ** 31 - 1

function fitsInt32(real: Float32Array, { xScale, wScale }: Units): boolean {
  return real.every((value, i) => {
    const unit = Math.fround(xScale * (wScale[wScale.length === 1 ? 0 : i] as number))
    return Math.abs(value) <= LIMIT * unit
  })
}

function quantizeBias(real: Float32Array, { xScale, wScale }: Units): Int32Array {
  const quantized = new Int32Array(real.length)
  for (let i = 0; i < real.length; ++i) {
    const unit = Math.fround(xScale * (wScale[wScale.length === 1 ? 0 : i] as number))
    const q = (real[i] as number) / unit
    quantized[i] = q > LIMIT ? LIMIT : q < -LIMIT ? -LIMIT : q + ROUNDER - ROUNDER
  }
  return quantized
}

function addBias(draft: Draft, values: Int32Array): number {
  const data = new Uint8Array(values.buffer as ArrayBuffer)
  return addTensor(draft, { name: 'bias', dtype: 'int32', dims: [values.length], kind: 'constant', data })
}

/** The bias as a vector, whatever unit axes the file gave it. */
function flat(draft: Draft, t: number): number {
  const tensor = draft.tensors[t] as PlanTensor
  const bytes = constantBytes(draft, t)
  if (tensor.dims.length === 1 || !bytes) return t
  const n = tensor.dims.reduce<number>((p, d) => p * (d as number), 1)
  return addTensor(draft, { ...tensor, dims: [n], kind: 'constant', data: bytes })
}
