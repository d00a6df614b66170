/** Operators of the standard that compute on quantized tensors: QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger. */

import { type DType, isQuantized8 } from '../../graph/dtype.js'
import type { Dim } from '../../graph/expr.js'
import { steps } from '../../plan/build.js'
import { scalar } from '../core/float32.js'
import { formatShape, needConstant } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { matrixProduct, productStep } from '../math/matmul.js'
import { convolution, convolutionAttributes, loweredConvolution } from '../nn/conv.js'
import { channelsLast } from '../nn/window.js'
import {
  channelOperand,
  checkQuantized,
  checkScale,
  checkZeroPoint,
  isSingle,
  perChannel,
  perRow,
  perTensor,
  quantizedOutputType,
  tensorOperand,
  tensorParameters,
} from './quantization-parameters.js'

function inferQLinearConv(ctx: InferContext): readonly Inferred[] {
  const [x, w] = [ctx.required(0), ctx.required(3)]
  checkQuantized(ctx, { value: 0, scale: 1, zeroPoint: 2 })
  checkQuantized(ctx, { value: 3, scale: 4, zeroPoint: 5 }, w.shape[0])
  checkScale(ctx, 6)
  const dtype = quantizedOutputType(ctx, 7)
  checkZeroPoint(ctx, 7, dtype)
  const bias = ctx.input(8)
  if (bias !== undefined && bias.dtype !== 'int32')
    ctx.fail(`a bias (input 8) of type int32, got ${bias.dtype}`)
  return [{ dtype, shape: convolution(ctx, x.shape, w.shape, bias?.shape).outputShape }]
}

function lowerQLinearConv(ctx: LowerContext): void {
  if (!ctx.constant(3)) needConstant(ctx, 3, 'the weights')
  const conv = loweredConvolution(ctx, [0, 3, 8])
  const layout = channelsLast(ctx.inputType(0).shape.length)
  const channels = ctx.inputType(3).shape[0] as Dim
  const inputs = {
    x: tensorOperand(ctx, ctx.input(0, layout), 1),
    w: channelOperand(ctx, ctx.input(3), 4, channels),
    y: tensorParameters(ctx, 6),
    bias: ctx.input(8),
  }
  ctx.step(steps.QConv(inputs, convolutionAttributes(conv)), [ctx.output(0, layout)])
}

function inferConvInteger(ctx: InferContext): readonly Inferred[] {
  const [x, w] = [ctx.required(0), ctx.required(1)]
  checkIntegerOperand(ctx, 0, 2)
  checkIntegerOperand(ctx, 1, 3, w.shape[0])
  return [{ dtype: 'int32', shape: convolution(ctx, x.shape, w.shape, undefined).outputShape }]
}

/** An int32 output is the sum itself; the scales that the step wants are 1. */
function lowerConvInteger(ctx: LowerContext): void {
  if (!ctx.constant(1)) needConstant(ctx, 1, 'the weights')
  const conv = loweredConvolution(ctx, [0, 1, -1])
  const layout = channelsLast(ctx.inputType(0).shape.length)
  const channels = ctx.inputType(1).shape[0] as Dim
  const scale = scalar(ctx, 1)
  const x = { tensor: ctx.input(0, layout), scale, zeroPoint: perTensor(ctx, 2) }
  const w = { tensor: ctx.input(1), scale, zeroPoint: perChannel(ctx, 3, channels) }
  ctx.step(steps.QConv({ x, w }, convolutionAttributes(conv)), [ctx.output(0, layout)])
}

/** A quantized operand without a scale. */
export function checkIntegerOperand(
  ctx: InferContext,
  value: number,
  zeroPoint: number,
  channels?: Dim,
): void {
  checkZeroPoint(ctx, zeroPoint, quantizedType(ctx, value), channels)
}

function quantizedType(ctx: InferContext, value: number): DType {
  const { dtype } = ctx.required(value)
  return isQuantized8(dtype) ? dtype : ctx.fail(`input ${value} of type int8 or uint8, got ${dtype}`)
}

/** The left operand of MatMulInteger: one zero point, or one for each row: [M], or the shape of a but for the last axis. */
function checkRows(ctx: InferContext, value: number, zeroPoint: number): void {
  const dtype = quantizedType(ctx, value)
  const zero = ctx.input(zeroPoint)
  if (zero === undefined) return
  const { shape } = ctx.required(value)
  if (zero.dtype !== dtype) ctx.fail(`a zero point (input ${zeroPoint}) of type ${dtype}, got ${zero.dtype}`)
  if (zero.shape === undefined || isSingle(zero.shape)) return
  const vector = zero.shape.length === 1
  const rows = vector ? shape.slice(-2, -1) : [...shape.slice(0, -1), 1]
  const fits = (!vector || shape.length === 2) && rows.length === zero.shape.length
  if (!fits || !rows.every((size, i) => sameOrUnknown(size, (zero.shape as readonly Dim[])[i] as Dim)))
    ctx.fail(`one zero point or one for each row in input ${zeroPoint}, got sizes ${formatShape(zero.shape)}`)
}

function sameOrUnknown(a: Dim, b: Dim): boolean {
  return a === b || typeof a !== 'number' || typeof b !== 'number'
}

/** Columns of the right operand of a product: the channels of its scales. */
export function columnsOf(shape: readonly Dim[]): Dim | undefined {
  return shape.length > 1 ? shape[shape.length - 1] : undefined
}

function inferQLinearMatMul(ctx: InferContext): readonly Inferred[] {
  const [a, b] = [ctx.required(0), ctx.required(3)]
  checkQuantized(ctx, { value: 0, scale: 1, zeroPoint: 2 })
  checkQuantized(ctx, { value: 3, scale: 4, zeroPoint: 5 }, columnsOf(b.shape))
  checkScale(ctx, 6)
  const dtype = quantizedOutputType(ctx, 7)
  checkZeroPoint(ctx, 7, dtype)
  return [{ dtype, shape: matrixProduct(ctx, a.shape, b.shape).outputShape }]
}

/** Where the inputs of a product with quantized operands are. -1: it has no such input. */
export interface QuantizedProduct {
  readonly a: number
  readonly aScale: number
  readonly aZero: number
  readonly b: number
  readonly bScale: number
  readonly bZero: number
  readonly yScale: number
  readonly yZero: number
}

/** The step QMatMul of a node; `bias`: a plan tensor. */
export function lowerQuantizedProduct(
  ctx: LowerContext,
  at: QuantizedProduct,
  dtype: DType,
  bias = -1,
): void {
  const [a, b] = [ctx.inputType(at.a).shape, ctx.inputType(at.b).shape]
  const columns = columnsOf(b) ?? 1
  const one = at.aScale < 0 || at.bScale < 0 ? scalar(ctx, 1) : -1
  const left = {
    scale: at.aScale < 0 ? one : perTensor(ctx, at.aScale),
    zeroPoint: perRow(ctx, at.aZero),
  }
  const right = {
    scale: at.bScale < 0 ? one : perChannel(ctx, at.bScale, columns),
    zeroPoint: perChannel(ctx, at.bZero, columns),
  }
  const written = { scale: perTensor(ctx, at.yScale), zeroPoint: perTensor(ctx, at.yZero) }
  productStep(ctx, matrixProduct(ctx, a, b), ctx.input(at.a), ctx.input(at.b), dtype, (l, r, y) => {
    const operands = { a: { tensor: l, ...left }, b: { tensor: r, ...right }, y: written, bias }
    ctx.step(steps.QMatMul(operands), [y])
  })
}

function inferMatMulInteger(ctx: InferContext): readonly Inferred[] {
  const [a, b] = [ctx.required(0), ctx.required(1)]
  checkRows(ctx, 0, 2)
  checkIntegerOperand(ctx, 1, 3, columnsOf(b.shape))
  return [{ dtype: 'int32', shape: matrixProduct(ctx, a.shape, b.shape).outputShape }]
}

const NO_SCALES = { aScale: -1, bScale: -1, yScale: -1, yZero: -1 }

export const ops: readonly OpDef[] = [
  {
    opType: 'QLinearConv',
    domain: '',
    inputs: [8, 9],
    outputs: [1, 1],
    infer: inferQLinearConv,
    lower: lowerQLinearConv,
  },
  {
    opType: 'ConvInteger',
    domain: '',
    inputs: [2, 4],
    outputs: [1, 1],
    infer: inferConvInteger,
    lower: lowerConvInteger,
  },
  {
    opType: 'QLinearMatMul',
    domain: '',
    inputs: [8, 8],
    outputs: [1, 1],
    infer: inferQLinearMatMul,
    lower: (ctx) =>
      lowerQuantizedProduct(
        ctx,
        { a: 0, aScale: 1, aZero: 2, b: 3, bScale: 4, bZero: 5, yScale: 6, yZero: 7 },
        ctx.outputType(0).dtype,
      ),
  },
  {
    opType: 'MatMulInteger',
    domain: '',
    inputs: [2, 4],
    outputs: [1, 1],
    infer: inferMatMulInteger,
    lower: (ctx) => lowerQuantizedProduct(ctx, { ...NO_SCALES, a: 0, aZero: 2, b: 1, bZero: 3 }, 'int32'),
  },
]
