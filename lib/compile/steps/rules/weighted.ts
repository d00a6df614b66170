/** Conv, ConvTranspose and MatMul: integer products with per-tensor or per-channel weights and an int32 bias. */

import type { PlanAttribute, PlanStep, PlanTensor } from '../../../plan/plan.js'
import { addTensor, constantBytes, type Draft, floats, int, intAttr, isConstant } from '../../draft.js'
import type { IntegerRule, IntegerStep, RuleContext } from '../integer.js'
import { floatConstant, isActivationType, isPerTensor, type QuantizedView } from '../params.js'

export const conv: IntegerRule = { floatOutput: true, apply: (context) => convolution(context, 'QConv', 0) }

export const convTranspose: IntegerRule = {
  floatOutput: true,
  apply(context) {
    const group = int(context.step, 'group', 1)
    const w = weightView(context, 1)
    if (w && w.axis !== undefined && group > 1) return 'per-channel weights of a grouped ConvTranspose'
    return convolution(context, 'QConvTranspose', 1)
  },
}

function convolution(context: RuleContext, op: string, channelAxis: number): IntegerStep | string {
  const { step } = context
  if (step.attributes.fn !== undefined || (step.inputs[3] ?? -1) >= 0)
    return 'it is fused with a float activation'
  const x = context.view(0)
  if (!x) return 'its input is not quantized'
  const w = weightView(context, 1)
  if (!w) return 'its weights are not quantized to 8 bits'
  if (w.axis !== undefined && w.axis !== channelAxis) return `its weights are quantized along axis ${w.axis}`
  const attributes: Record<string, PlanAttribute> = {}
  for (const name of ['strides', 'pads', 'dilations', 'group']) {
    const attribute = step.attributes[name]
    if (attribute) attributes[name] = attribute
  }
  return weighted(context, op, x, w, step.inputs[2] ?? -1, attributes)
}

export const matMul: IntegerRule = {
  floatOutput: true,
  apply(context) {
    const { step, draft } = context
    if (step.attributes.fn !== undefined) return 'it is fused with a float activation'
    if ((floats(step, 'alpha')[0] ?? 1) !== 1) return 'alpha is not 1'
    const bias = step.inputs[2] ?? -1
    if (bias >= 0 && (floats(step, 'beta')[0] ?? 1) !== 1) return 'beta is not 1'
    const a = context.view(0)
    const b = weightView(context, 1) ?? context.view(1)
    if (!a) return 'its first input is not quantized'
    if (!b) return 'its second input is not quantized to 8 bits'
    const rank = (draft.tensors[step.inputs[1] as number] as PlanTensor).dims.length
    const column = rank - (int(step, 'trans_b', 0) === 1 ? 2 : 1)
    const axis = 'axis' in b ? b.axis : undefined
    if (axis !== undefined && (axis !== column || rank !== 2))
      return `its weights are quantized along axis ${axis}`
    const attributes: Record<string, PlanAttribute> = {
      trans_a: intAttr(int(step, 'trans_a', 0)),
      trans_b: intAttr(int(step, 'trans_b', 0)),
    }
    return weighted(context, 'QMatMul', a, b, bias, attributes)
  },
}

interface WeightView extends QuantizedView {
  /** Axis of per-channel scales; undefined: per tensor. */
  readonly axis?: number
}

/** Constant 8-bit weights behind a DequantizeLinear, per tensor or per axis. */
function weightView(context: RuleContext, i: number): WeightView | undefined {
  const { draft, step } = context
  const producer = context.producer(i)
  if (producer?.op !== 'DequantizeLinear' || producer.outputs[0] !== step.inputs[i]) return undefined
  const [tensor, scale, zeroPoint = -1] = producer.inputs as [number, number, number?]
  if (!isActivationType(draft.tensors[tensor]?.dtype) || !isConstant(draft, tensor)) return undefined
  if (int(producer, 'block_size', 0) !== 0) return undefined
  if (isPerTensor(draft, scale)) return { tensor, scale, zeroPoint }
  return { tensor, scale, zeroPoint, axis: int(producer, 'axis', 1) }
}

function weighted(
  context: RuleContext,
  op: string,
  x: QuantizedView,
  w: WeightView,
  bias: number,
  attributes: Record<string, PlanAttribute>,
): IntegerStep | string {
  const { target } = context
  const integerBias = bias < 0 ? -1 : biasOf(context, x, w, bias, target !== undefined)
  if (typeof integerBias === 'string') return integerBias
  return {
    op,
    inputs: [
      x.tensor,
      x.scale,
      x.zeroPoint,
      w.tensor,
      w.scale,
      w.zeroPoint,
      target?.scale ?? -1,
      target?.zeroPoint ?? -1,
      integerBias,
    ],
    attributes: { ...attributes, ...target?.bounds },
  }
}

/**
 * The bias in units of x_scale * w_scale: the file's int32 tensor where it is quantized so, else the real
 * bias rounded; with float output a float bias is added as it is.
 */
function biasOf(
  context: RuleContext,
  x: QuantizedView,
  w: WeightView,
  bias: number,
  quantized: boolean,
): number | string {
  const { draft } = context
  const xScale = floatConstant(draft, x.scale)?.[0]
  const wScale = floatConstant(draft, w.scale)
  if (xScale === undefined || wScale === undefined) return 'its scales are not constants'
  const units: Units = { xScale, wScale }
  const producer = producerOf(context, bias)
  if (producer?.op === 'DequantizeLinear') {
    const [source, scale, zeroPoint = -1] = producer.inputs as [number, number, number?]
    const scales = floatConstant(draft, scale)
    const bytes = constantBytes(draft, source)
    const zero = zeroPoint < 0 || isZero(constantBytes(draft, zeroPoint))
    if (draft.tensors[source]?.dtype !== 'int32' || !scales || !bytes || !zero) return 'its bias is not int32'
    if (areUnits(scales, units)) return flat(draft, source)
    const stored = new Int32Array(new Uint8Array(bytes).buffer)
    const real = Float32Array.from(stored, (q, i) => q * (scales[scales.length === 1 ? 0 : i] as number))
    return addBias(draft, quantizeBias(real, units))
  }
  const real = floatConstant(draft, bias)
  const n = wScale.length === 1 ? real?.length : wScale.length
  if (!real || real.length !== n) return 'its bias is not a constant vector'
  return quantized ? addBias(draft, quantizeBias(real, units)) : flat(draft, bias)
}

/** Compared as a block: a call per byte of a wide layer would take milliseconds. */
function isZero(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && Buffer.alloc(bytes.length).equals(bytes)
}

function producerOf(context: RuleContext, bias: number): PlanStep | undefined {
  const i = context.step.inputs.indexOf(bias)
  return i < 0 ? undefined : context.producer(i)
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

/** Added to a number below 2^51 and taken away again, it leaves the nearest integer, ties to even. */
const ROUNDS = 1.5 * 2 ** 52
const LIMIT = 2 ** 31 - 1

function quantizeBias(real: Float32Array, { xScale, wScale }: Units): Int32Array {
  const quantized = new Int32Array(real.length)
  for (let i = 0; i < real.length; ++i) {
    const unit = Math.fround(xScale * (wScale[wScale.length === 1 ? 0 : i] as number))
    const q = (real[i] as number) / unit
    quantized[i] = q > LIMIT ? LIMIT : q < -LIMIT ? -LIMIT : q + ROUNDS - ROUNDS
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
