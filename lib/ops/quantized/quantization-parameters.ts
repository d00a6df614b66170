/** Scales and zero points as operands: checked where they are constant, brought to the sizes that steps take. */

import { type DType, isFloat, isQuantized8 } from '../../graph/dtype.js'
import { type Dim, formatDim } from '../../graph/expr.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { numbersOf, typedArrayOf } from '../../graph/tensor.js'
import type { Parameters, QuantizedOperand } from '../../plan/operands.js'
import { floatInput } from '../core/float32.js'
import { formatShape } from '../core/helpers.js'
import type { InferContext, LowerContext } from '../core/opdef.js'

/** Indices of the inputs of a node that make a quantized tensor. */
export interface QuantizedInputs {
  readonly value: number
  readonly scale: number
  readonly zeroPoint: number
}

/** An int8 or uint8 operand with one scale, or, where `channels` is given, one or that many. */
export function checkQuantized(ctx: InferContext, operand: QuantizedInputs, channels?: Dim): void {
  const { dtype } = ctx.required(operand.value)
  if (!isQuantized8(dtype)) ctx.fail(`input ${operand.value} of type int8 or uint8, got ${dtype}`)
  checkScale(ctx, operand.scale, channels)
  checkZeroPoint(ctx, operand.zeroPoint, dtype, channels)
}

export function checkScale(ctx: InferContext, i: number, channels?: Dim): void {
  const { dtype, shape } = ctx.required(i)
  if (!isFloat(dtype)) ctx.fail(`a floating-point scale (input ${i}), got ${dtype}`)
  checkGranularity(ctx, i, shape, channels)
  checkScaleValues(ctx, i)
}

/** Where the scale is constant: every element is finite, and positive where scales of either sign have no meaning. */
export function checkScaleValues(ctx: InferContext, i: number, sign: 'positive' | 'any' = 'positive'): void {
  const constant = ctx.constant(i)
  const known = sign === 'positive' ? positive : finite
  if (constant === undefined || known.has(constant)) return
  if (!isPositiveFloat32(constant)) {
    numbersOf(constant).forEach((value, k) => {
      if (Number.isFinite(value) && (value > 0 || sign === 'any')) return
      const wanted = sign === 'positive' ? 'finite positive' : 'finite'
      ctx.fail(`${wanted} scales (input ${i}, "${ctx.node.inputs[i]}"), got ${value} at element ${k}`)
    })
  }
  known.add(constant)
}

/** Bits of a positive finite float32 are an integer between 0 and those of infinity: a loop that makes no number per scale. */
function isPositiveFloat32({ dtype, data }: ConstantTensor): boolean {
  if (dtype !== 'float32') return false
  const bits = typedArrayOf('int32', data) as Int32Array
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i] as number
    if (b <= 0 || b >= 0x7f800000) return false
  }
  return true
}

/** Scales that were looked at; constants never change. */
const positive = new WeakSet<ConstantTensor>()
const finite = new WeakSet<ConstantTensor>()

/** An absent zero point is 0. */
export function checkZeroPoint(ctx: InferContext, i: number, dtype: DType, channels?: Dim): void {
  const type = ctx.input(i)
  if (type === undefined) return
  if (type.dtype !== dtype) {
    ctx.fail(`a zero point (input ${i}) of type ${dtype}, as the tensor it belongs to, got ${type.dtype}`)
  }
  if (type.shape !== undefined) checkGranularity(ctx, i, type.shape, channels)
}

/** The type of a quantized output: that of its zero point (input i), uint8 where that is absent. */
export function quantizedOutputType(ctx: InferContext, i: number): DType {
  const dtype = ctx.input(i)?.dtype ?? 'uint8'
  return isQuantized8(dtype)
    ? dtype
    : ctx.fail(`a zero point (input ${i}) of type int8 or uint8, got ${dtype}`)
}

/** Input i, a scale or zero point for a whole tensor, as a scalar; scales as float32. -1 if absent. */
export function perTensor(ctx: LowerContext, i: number): number {
  if (!ctx.has(i)) return -1
  return ctx.alias(parameter(ctx, i), [])
}

/** Input i as a scalar or, where it has several elements, as it is: one for each row. -1 if absent. */
export function perRow(ctx: LowerContext, i: number): number {
  if (!ctx.has(i)) return -1
  const { shape } = ctx.inputType(i)
  return ctx.alias(parameter(ctx, i), isSingle(shape) ? [] : shape)
}

/** Input i as a scalar or, where it has several elements, [channels]. -1 if absent. */
export function perChannel(ctx: LowerContext, i: number, channels: Dim): number {
  if (!ctx.has(i)) return -1
  return ctx.alias(parameter(ctx, i), isSingle(ctx.inputType(i).shape) ? [] : [channels])
}

/** Scale (input `scale`) and zero point (the input after it) of a whole tensor. */
export function tensorParameters(ctx: LowerContext, scale: number): Parameters {
  return { scale: perTensor(ctx, scale), zeroPoint: perTensor(ctx, scale + 1) }
}

/** A tensor of the plan with its scale (input `scale`) and zero point (the input after it). */
export function tensorOperand(ctx: LowerContext, tensor: number, scale: number): QuantizedOperand {
  return { tensor, ...tensorParameters(ctx, scale) }
}

/** Scale (input `scale`) and zero point (the input after it): of the tensor, or one per channel. */
export function channelParameters(ctx: LowerContext, scale: number, channels: Dim): Parameters {
  return { scale: perChannel(ctx, scale, channels), zeroPoint: perChannel(ctx, scale + 1, channels) }
}

/** Weights with their scale (input `scale`) and zero point (the input after it). */
export function channelOperand(
  ctx: LowerContext,
  tensor: number,
  scale: number,
  channels: Dim,
): QuantizedOperand {
  return { tensor, ...channelParameters(ctx, scale, channels) }
}

function parameter(ctx: LowerContext, i: number): number {
  return isFloat(ctx.inputType(i).dtype) ? floatInput(ctx, i) : ctx.input(i)
}

export function isSingle(shape: readonly Dim[]): boolean {
  return shape.every((size) => size === 1)
}

function checkGranularity(ctx: InferContext, i: number, shape: readonly Dim[], channels?: Dim): void {
  if (isSingle(shape)) return
  const expected = channels === undefined ? 'one element' : `one element or ${formatDim(channels)}`
  const size = shape[shape.length - 1] as Dim
  const known = typeof size === 'number' && typeof channels === 'number'
  if (channels === undefined || !isSingle(shape.slice(0, -1)) || (known && size !== channels)) {
    ctx.fail(`${expected} in input ${i} ("${ctx.node.inputs[i]}"), got sizes ${formatShape(shape)}`)
  }
}
