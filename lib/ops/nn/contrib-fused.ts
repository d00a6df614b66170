/** Fusions that onnxruntime writes (com.microsoft): FusedConv, FusedGemm, FusedMatMul and products of quantized operands. */

import { type Dim, formatDim } from '../../graph/expr.js'
import { floatAttribute, floatsAttribute, intAttribute, stringAttribute } from '../../graph/graph.js'
import { floats, ints, texts } from '../../plan/attributes.js'
import { type StepAttributes, steps } from '../../plan/build.js'
import { unaryStep } from '../core/float-steps.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, inLayout, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import {
  gemmShape,
  gemmTransposes,
  inferGemm,
  lowerGemm,
  lowerProduct,
  matrixProduct,
  productStep,
} from '../math/matmul.js'
import { checkIntegerOperand, columnsOf, lowerQuantizedProduct } from '../quantized/qoperator.js'
import {
  channelOperand,
  channelParameters,
  checkQuantized,
  checkScale,
  checkZeroPoint,
  perTensor,
  quantizedOutputType,
  tensorParameters,
} from '../quantized/quantization-parameters.js'
import { checkFloat, compatible, convolution, convolutionAttributes, loweredConvolution } from './conv.js'
import { channelsLast } from './window.js'

/** An activation after Conv or Gemm: what the step does itself, and what is left for a step of its own. */
interface Activation {
  readonly fused: Pick<StepAttributes<'MatMul'>, 'fn' | 'lo' | 'hi'>
  readonly fns: readonly string[]
  readonly params: readonly number[]
}

function activation(ctx: NodeContext, params: readonly number[]): Activation {
  const name = stringAttribute(ctx.node, 'activation', '')
  const param = (i: number, fallback: number) => params[i] ?? fallback
  const own = (fn: string, ...values: number[]): Activation => ({ fused: {}, fns: [fn], params: values })
  switch (name) {
    case '':
      return { fused: {}, fns: [], params: [] }
    case 'Relu':
      return { fused: { fn: texts('relu') }, fns: [], params: [] }
    case 'Clip': {
      const [lo, hi] = [param(0, -Number.MAX_VALUE), param(1, Number.MAX_VALUE)].map(toFloat32)
      return {
        fused: { fn: texts('clip'), lo: floats(lo as number), hi: floats(hi as number) },
        fns: [],
        params: [],
      }
    }
    case 'LeakyRelu':
      return own('leakyrelu', param(0, 0.01))
    case 'HardSigmoid':
      return own('hardsigmoid', param(0, 0.2), param(1, 0.5))
    case 'Tanh':
      return own('tanh')
    case 'Sigmoid':
      return own('sigmoid')
    case 'HardSwish':
      return own('hardswish')
    default:
      return ctx.fail(
        `an activation of Relu, Clip, LeakyRelu, HardSigmoid, HardSwish, Tanh or Sigmoid, got '${name}'`,
      )
  }
}

const FLOAT32_MAX = 3.4028234663852886e38

function toFloat32(value: number): number {
  return Math.min(Math.max(value, -FLOAT32_MAX), FLOAT32_MAX)
}

/** Has `compute` fill a float32 tensor, and adds what is left of the activation on its way to y. */
function activated(
  ctx: LowerContext,
  { fns, params }: Activation,
  dims: readonly Dim[],
  y: number,
  compute: (tensor: number) => void,
): void {
  if (fns.length === 0) {
    compute(y)
    return
  }
  const before = ctx.scratch('float32', dims, 'before')
  compute(before)
  unaryStep(ctx, fns, before, y, params)
}

/** x, w, bias?, residual? */
function inferFusedConv(ctx: InferContext): readonly Inferred[] {
  const [x, w] = [ctx.required(0), ctx.required(1)]
  checkFloat(ctx, x.dtype)
  activation(ctx, floatsAttribute(ctx.node, 'activation_params') ?? [])
  const { outputShape } = convolution(ctx, x.shape, w.shape, ctx.input(2)?.shape)
  const residual = ctx.input(3)?.shape
  const same = residual?.length === outputShape.length
  if (residual && !(same && residual.every((d, i) => compatible(d, outputShape[i] as Dim)))) {
    ctx.fail(`a sum (input 3) of sizes ${formatShape(outputShape)}, got ${formatShape(residual)}`)
  }
  return [{ dtype: x.dtype, shape: outputShape }]
}

function lowerFusedConv(ctx: LowerContext): void {
  const conv = loweredConvolution(ctx, [0, 1, 2])
  const layout = channelsLast(ctx.inputType(0).shape.length)
  const inputs = {
    x: floatInput(ctx, 0, layout),
    w: floatInput(ctx, 1),
    bias: floatInput(ctx, 2),
    residual: floatInput(ctx, 3, layout),
  }
  const after = activation(ctx, floatsAttribute(ctx.node, 'activation_params') ?? [])
  const attributes = { ...convolutionAttributes(conv), ...after.fused }
  floatOutput(ctx, 0, layout, (y) =>
    activated(ctx, after, inLayout(conv.outputShape, layout), y, (tensor) =>
      ctx.step(steps.Conv(inputs, attributes), [tensor]),
    ),
  )
}

function gemmActivation(ctx: NodeContext): Activation {
  const named = (name: string, fallback: number) => floatAttribute(ctx.node, name, fallback)
  const leaky = stringAttribute(ctx.node, 'activation', '') === 'LeakyRelu'
  return activation(ctx, [named('activation_alpha', leaky ? 0.01 : 0.2), named('activation_beta', 0.5)])
}

function lowerFusedGemm(ctx: LowerContext): void {
  const after = gemmActivation(ctx)
  floatOutput(ctx, 0, undefined, (y) =>
    activated(ctx, after, ctx.outputType(0).shape, y, (tensor) => lowerGemm(ctx, after.fused, tensor)),
  )
}

function inferFusedMatMul(ctx: InferContext): readonly Inferred[] {
  const [a, b] = [ctx.required(0), ctx.required(1)]
  checkFloat(ctx, a.dtype)
  for (const name of ['transBatchA', 'transBatchB']) {
    if (intAttribute(ctx.node, name, 0) !== 0) ctx.fail(`${name} 0, got 1: no step transposes batch axes`)
  }
  const { transA, transB } = gemmTransposes(ctx)
  return [{ dtype: a.dtype, shape: matrixProduct(ctx, a.shape, b.shape, transA, transB).outputShape }]
}

function lowerFusedMatMul(ctx: LowerContext): void {
  const { transA, transB } = gemmTransposes(ctx)
  const vector = (i: number) => ctx.inputType(i).shape.length === 1
  const attributes = {
    trans_a: ints(transA && !vector(0) ? 1 : 0),
    trans_b: ints(transB && !vector(1) ? 1 : 0),
    alpha: floats(floatAttribute(ctx.node, 'alpha', 1)),
  }
  lowerProduct(ctx, attributes, transA, transB)
}

/** a, a_scale, a_zero_point, b, b_scale, b_zero_point, c?, y_scale?, y_zero_point?; without y_scale the result is float. */
function inferQGemm(ctx: InferContext): readonly Inferred[] {
  const [a, b] = [ctx.required(0), ctx.required(3)]
  const { transB } = gemmTransposes(ctx)
  const columns = b.shape[transB ? 0 : 1]
  checkQuantized(ctx, { value: 0, scale: 1, zeroPoint: 2 })
  checkQuantized(ctx, { value: 3, scale: 4, zeroPoint: 5 }, columns)
  const c = ctx.input(6)
  if (c !== undefined && c.dtype !== 'int32') ctx.fail(`C (input 6) of type int32, got ${c.dtype}`)
  const shape = gemmShape(ctx, a.shape, b.shape, c?.shape)
  if (c?.shape?.length === 2 && c.shape[0] !== 1) {
    ctx.fail(`C (input 6) with one row, as QMatMul adds a vector, got ${formatShape(c.shape)}`)
  }
  if (ctx.input(7) === undefined) return [{ dtype: 'float32', shape }]
  checkScale(ctx, 7)
  const dtype = quantizedOutputType(ctx, 8)
  checkZeroPoint(ctx, 8, dtype)
  return [{ dtype, shape }]
}

/** alpha scales products and C alike, so it is a factor of a's scale. */
function lowerQGemm(ctx: LowerContext): void {
  const { transA, transB } = gemmTransposes(ctx)
  const columns = ctx.outputType(0).shape[1] as Dim
  const alpha = floatAttribute(ctx.node, 'alpha', 1)
  let aScale = perTensor(ctx, 1)
  if (alpha !== 1) {
    const scaled = ctx.scratch('float32', [], 'alpha')
    unaryStep(ctx, ['affine'], aScale, scaled, [alpha, 0])
    aScale = scaled
  }
  const a = { tensor: ctx.input(0), scale: aScale, zeroPoint: perTensor(ctx, 2) }
  const b = channelOperand(ctx, ctx.input(3), 4, columns)
  const y = tensorParameters(ctx, 7)
  const attributes = { trans_a: ints(transA ? 1 : 0), trans_b: ints(transB ? 1 : 0) }
  ctx.step(steps.QMatMul({ a, b, y, bias: rowBias(ctx, 6, columns) }, attributes), [ctx.output(0)])
}

/** Input i, which broadcasts along rows, as [columns]. */
function rowBias(ctx: LowerContext, i: number, columns: Dim): number {
  if (!ctx.has(i)) return -1
  const { dtype, shape } = ctx.inputType(i)
  const last = shape[shape.length - 1] ?? 1
  if (last !== 1 || columns === 1) return ctx.alias(ctx.input(i), [columns])
  const expanded = ctx.scratch(dtype, [columns], 'bias')
  ctx.step(steps.Expand({ x: ctx.alias(ctx.input(i), [1]) }), [expanded])
  return expanded
}

/** a (float32), b, b_scale, b_zero_point?, bias? */
function inferDynamicMatMul(ctx: InferContext): readonly Inferred[] {
  const [a, b] = [ctx.required(0), ctx.required(1)]
  if (a.dtype !== 'float32') ctx.fail(`input 0 of type float32, got ${a.dtype}`)
  checkQuantized(ctx, { value: 1, scale: 2, zeroPoint: 3 }, columnsOf(b.shape))
  checkFloatBias(ctx, 4, columnsOf(b.shape) ?? 1)
  return [{ dtype: 'float32', shape: matrixProduct(ctx, a.shape, b.shape).outputShape }]
}

function checkFloatBias(ctx: InferContext, i: number, columns: Dim): void {
  const bias = ctx.input(i)
  if (bias === undefined) return
  const shape = bias.shape ?? [columns]
  if (bias.dtype !== 'float32' || shape.length !== 1 || !compatible(shape[0] as Dim, columns)) {
    ctx.fail(`a bias (input ${i}) float32 [${formatDim(columns)}], got ${bias.dtype} ${formatShape(shape)}`)
  }
}

function lowerDynamicMatMul(ctx: LowerContext): void {
  const [a, b] = [ctx.inputType(0).shape, ctx.inputType(1).shape]
  const columns = columnsOf(b) ?? 1
  const quantized = ctx.scratch('uint8', a, 'quantized')
  const [scale, zeroPoint] = [ctx.scratch('float32', [], 'scale'), ctx.scratch('uint8', [], 'zero_point')]
  ctx.step(steps.DynamicQuantizeLinear({ x: ctx.input(0) }), [quantized, scale, zeroPoint])
  const weights = channelParameters(ctx, 2, columns)
  const product = matrixProduct(ctx, a, b)
  productStep(ctx, product, quantized, ctx.input(1), 'float32', (l, r, y) => {
    const a = { tensor: l, scale, zeroPoint }
    ctx.step(steps.QMatMul({ a, b: { tensor: r, ...weights }, bias: ctx.input(4) }), [y])
  })
}

/** a, b, a_scale, b_scale, a_zero_point?, b_zero_point?, bias? */
function inferIntegerToFloat(ctx: InferContext): readonly Inferred[] {
  const [a, b] = [ctx.required(0), ctx.required(1)]
  checkIntegerOperand(ctx, 0, 4)
  checkIntegerOperand(ctx, 1, 5, columnsOf(b.shape))
  checkScale(ctx, 2)
  checkScale(ctx, 3, columnsOf(b.shape))
  checkFloatBias(ctx, 6, columnsOf(b.shape) ?? 1)
  return [{ dtype: 'float32', shape: matrixProduct(ctx, a.shape, b.shape).outputShape }]
}

const INTEGER_TO_FLOAT = { a: 0, aScale: 2, aZero: 4, b: 1, bScale: 3, bZero: 5, yScale: -1, yZero: -1 }

function contrib(
  opType: string,
  inputs: OpDef['inputs'],
  infer: OpDef['infer'],
  lower: NonNullable<OpDef['lower']>,
): OpDef {
  return { opType, domain: 'com.microsoft', inputs, outputs: [1, 1], infer, lower }
}

export const ops: readonly OpDef[] = [
  contrib('FusedConv', [2, 4], inferFusedConv, lowerFusedConv),
  contrib(
    'FusedGemm',
    [2, 3],
    (ctx) => {
      gemmActivation(ctx)
      return inferGemm(ctx)
    },
    lowerFusedGemm,
  ),
  contrib('FusedMatMul', [2, 2], inferFusedMatMul, lowerFusedMatMul),
  contrib('QGemm', [6, 9], inferQGemm, lowerQGemm),
  contrib('DynamicQuantizeMatMul', [3, 5], inferDynamicMatMul, lowerDynamicMatMul),
  contrib('MatMulIntegerToFloat', [4, 7], inferIntegerToFloat, (ctx) =>
    lowerQuantizedProduct(ctx, INTEGER_TO_FLOAT, 'float32', ctx.input(6)),
  ),
]
