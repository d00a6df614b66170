/** QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear. */

import { type DType, dtypeFromOnnx, isFloat, isSubByte } from '../../graph/dtype.js'
import { type Dim, formatDim, sameDim } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, inLayout, layoutOfRank, type NodeContext, normalizeAxis } from '../core/helpers.js'
import type { InferContext, Inferred, Layout, LowerContext, OpDef } from '../core/opdef.js'
import { checkScaleValues, isSingle } from './quantization-parameters.js'

const QUANTIZED: readonly DType[] = ['int8', 'uint8', 'int16', 'uint16', 'int4', 'uint4', 'int2', 'uint2']
const DEQUANTIZABLE: readonly DType[] = [...QUANTIZED, 'int32']

/** How a scale lies over a tensor. */
type Granularity =
  | { readonly kind: 'tensor' }
  | { readonly kind: 'axis'; readonly axis: number }
  | { readonly kind: 'block'; readonly axis: number; readonly size: number }

function granularity(ctx: NodeContext, x: readonly Dim[], scale: readonly Dim[]): Granularity {
  const size = intAttribute(ctx.node, 'block_size', 0)
  if (!Number.isSafeInteger(size) || size < 0) ctx.fail(`block_size of at least 0, got ${size}`)
  if (size === 0 && scale.length <= 1 && isSingle(scale)) return { kind: 'tensor' }
  const axis = normalizeAxis(ctx, intAttribute(ctx.node, 'axis', 1), x.length)
  if (size > 0) {
    checkBlocks(ctx, x, scale, axis, size)
    return { kind: 'block', axis, size }
  }
  if (scale.length !== 1) {
    ctx.fail(`a scale that is a scalar or a vector (block_size is 0), got sizes ${formatShape(scale)}`)
  }
  checkEqual(ctx, scale[0] as Dim, x[axis] as Dim, `axis ${axis} of the input`)
  return { kind: 'axis', axis }
}

/** B elements share a scale: ceil(D / S) <= B <= ceil(D / (S - 1)) - 1 for D elements and S scales. */
function checkBlocks(
  ctx: NodeContext,
  x: readonly Dim[],
  scale: readonly Dim[],
  axis: number,
  size: number,
): void {
  if (scale.length !== x.length) {
    ctx.fail(
      `a scale of rank ${x.length}, as the input, because block_size is ${size}; got ${formatShape(scale)}`,
    )
  }
  scale.forEach((count, i) => {
    const length = x[i] as Dim
    if (i !== axis) checkEqual(ctx, count, length, `axis ${i} of the input`)
    else if (typeof count === 'number' && typeof length === 'number' && Math.ceil(length / size) !== count) {
      ctx.fail(`${Math.ceil(length / size)} scales for ${length} elements in blocks of ${size}, got ${count}`)
    }
  })
}

function checkEqual(ctx: NodeContext, count: Dim, size: Dim, where: string): void {
  if (typeof count === 'number' && typeof size === 'number' && count !== size) {
    ctx.fail(`${formatDim(size)} scales, one per index of ${where}, got ${formatDim(count)}`)
  }
}

function checkParameters(
  ctx: InferContext,
  x: readonly Dim[],
  dtype: DType,
  sign: 'positive' | 'any' = 'positive',
): void {
  const scale = ctx.required(1)
  if (!isFloat(scale.dtype)) ctx.fail(`a floating-point scale, got ${scale.dtype}`)
  granularity(ctx, x, scale.shape)
  checkScaleValues(ctx, 1, sign)
  const zero = ctx.input(2)
  if (zero === undefined) return
  if (zero.dtype !== dtype) ctx.fail(`a zero point of type ${dtype}, got ${zero.dtype}`)
  const shape = zero.shape ?? scale.shape
  const bothSingle = isSingle(shape) && isSingle(scale.shape)
  const same = shape.length === scale.shape.length && shape.every((d, i) => sameDim(d, scale.shape[i] as Dim))
  if (!same && !bothSingle) {
    ctx.fail(`a zero point of sizes ${formatShape(scale.shape)}, as the scale, got ${formatShape(shape)}`)
  }
}

function outputDtype(ctx: InferContext): DType | undefined {
  const number = intAttribute(ctx.node, 'output_dtype', 0)
  if (number === 0) return undefined
  return dtypeFromOnnx(number) ?? ctx.fail(`output_dtype of a type that Octavo has, got ${number}`)
}

function inferQuantize(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  if (!isFloat(x.dtype) && x.dtype !== 'int32') ctx.fail(`a floating-point or int32 input, got ${x.dtype}`)
  const dtype = ctx.input(2)?.dtype ?? outputDtype(ctx) ?? 'uint8'
  if (!QUANTIZED.includes(dtype)) ctx.fail(`an output type of ${QUANTIZED.join(', ')}, got ${dtype}`)
  checkParameters(ctx, x.shape, dtype)
  return [{ dtype, shape: x.shape }]
}

function inferDequantize(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  if (!DEQUANTIZABLE.includes(x.dtype))
    ctx.fail(`an input type of ${DEQUANTIZABLE.join(', ')}, got ${x.dtype}`)
  // Quantizers of weights give the larger side of a block to the side that has a level more, and weights of 0 a scale of 0.
  const blocks = isSubByte(x.dtype) || intAttribute(ctx.node, 'block_size', 0) !== 0
  checkParameters(ctx, x.shape, x.dtype, blocks || ctx.constant(0) ? 'any' : 'positive')
  return [{ dtype: outputDtype(ctx) ?? ctx.required(1).dtype, shape: x.shape }]
}

/** Scale and zero point for the step, and its attributes, in the layout of x. */
function parameters(ctx: LowerContext, layout: Layout) {
  const how = granularity(ctx, ctx.inputType(0).shape, ctx.inputType(1).shape)
  const attributes = {
    axis: ints(how.kind === 'tensor' ? 0 : layout.indexOf(how.axis)),
    block_size: ints(how.kind === 'block' ? how.size : 0),
  }
  const own = how.kind === 'block' ? layout : undefined
  const sized = (tensor: number) => (how.kind === 'tensor' && tensor >= 0 ? ctx.alias(tensor, []) : tensor)
  return { own: { scale: sized(floatInput(ctx, 1, own)), zeroPoint: sized(ctx.input(2, own)) }, attributes }
}

function lowerQuantize(ctx: LowerContext): void {
  const layout = ctx.sharedLayout()
  const { attributes, own: y } = parameters(ctx, layout)
  const x = floatInput(ctx, 0, layout)
  ctx.step(steps.QuantizeLinear({ x, y }, attributes), [ctx.output(0, layout)])
}

function lowerDequantize(ctx: LowerContext): void {
  const layout = ctx.sharedLayout()
  const { attributes, own } = parameters(ctx, layout)
  const x = { tensor: ctx.input(0, layout), scale: own.scale, zeroPoint: own.zeroPoint }
  floatOutput(ctx, 0, layout, (y) => ctx.step(steps.DequantizeLinear({ x }, attributes), [y]))
}

function inferDynamic(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  if (x.dtype !== 'float32') ctx.fail(`an input of type float32, got ${x.dtype}`)
  return [
    { dtype: 'uint8', shape: x.shape },
    { dtype: 'float32', shape: [] },
    { dtype: 'uint8', shape: [] },
  ]
}

function lowerDynamic(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const layout = layoutOfRank(ctx, shape.length)
  const wanted = (i: number, make: () => number) => (ctx.hasOutput(i) ? ctx.output(i) : make())
  const y = ctx.hasOutput(0) ? ctx.output(0, layout) : ctx.scratch('uint8', inLayout(shape, layout))
  const scale = wanted(1, () => ctx.scratch('float32', []))
  const zero = wanted(2, () => ctx.scratch('uint8', []))
  ctx.step(steps.DynamicQuantizeLinear({ x: ctx.input(0, layout) }), [y, scale, zero])
}

export const ops: readonly OpDef[] = [
  {
    opType: 'QuantizeLinear',
    domain: '',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: inferQuantize,
    lower: lowerQuantize,
  },
  {
    opType: 'DequantizeLinear',
    domain: '',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: inferDequantize,
    lower: lowerDequantize,
  },
  // onnxruntime's own versions, from before the standard had 16-bit types.
  {
    opType: 'QuantizeLinear',
    domain: 'com.microsoft',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: inferQuantize,
    lower: lowerQuantize,
  },
  {
    opType: 'DequantizeLinear',
    domain: 'com.microsoft',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: inferDequantize,
    lower: lowerDequantize,
  },
  {
    opType: 'DynamicQuantizeLinear',
    domain: '',
    inputs: [1, 1],
    outputs: [3, 3],
    infer: inferDynamic,
    lower: lowerDynamic,
  },
]
