/** MatMul and Gemm. */

import { type DType, isFloat } from '../../graph/dtype.js'
import { type Dim, formatDim } from '../../graph/expr.js'
import { floatAttribute, intAttribute } from '../../graph/graph.js'
import { floats, ints } from '../../plan/attributes.js'
import type { StepAttributes } from '../../plan/build.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { broadcastShapes, formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { compatible } from '../nn/conv.js'

/** Sizes of a matrix product. Steps take operands of rank 2 or more: `a`, `b`, `y` are the sizes they see. */
export interface Product {
  readonly a: readonly Dim[]
  readonly b: readonly Dim[]
  readonly y: readonly Dim[]
  /** Sizes of the node's output: y without the axes that vectors lack. */
  readonly outputShape: readonly Dim[]
}

/** numpy.matmul: vectors are rows on the left, columns on the right; leading axes broadcast. */
export function matrixProduct(
  ctx: NodeContext,
  left: readonly Dim[],
  right: readonly Dim[],
  transA = false,
  transB = false,
): Product {
  if (left.length === 0 || right.length === 0) ctx.fail('operands of rank 1 or more, got a scalar')
  const a = left.length === 1 ? [1, ...left] : left
  const b = right.length === 1 ? [...right, 1] : right
  const [m, k] = lastTwo(a, transA && left.length > 1)
  const [l, n] = lastTwo(b, transB && right.length > 1)
  if (!compatible(k, l)) {
    ctx.fail(
      `operands whose inner sizes are equal, got ${formatShape(left)} and ${formatShape(right)}: ` +
        `${formatDim(k)} and ${formatDim(l)}`,
    )
  }
  const batch = broadcastShapes(ctx, [a.slice(0, -2), b.slice(0, -2)])
  const outputShape = [...batch, ...(left.length === 1 ? [] : [m]), ...(right.length === 1 ? [] : [n])]
  return { a, b, y: [...batch, m, n], outputShape }
}

/**
 * Adds the step of a product of plan tensors `a` and `b` (in the model's sizes) whose result is output 0 of the node.
 * `emit` gets both operands and the result in the sizes the step sees.
 */
export function productStep(
  ctx: LowerContext,
  product: Product,
  a: number,
  b: number,
  dtype: DType,
  emit: (a: number, b: number, y: number) => void,
): void {
  const operands = [ctx.alias(a, product.a), ctx.alias(b, product.b)] as const
  if (product.outputShape.length === product.y.length && ctx.outputType(0).dtype === dtype) {
    emit(...operands, ctx.output(0))
    return
  }
  const y = ctx.scratch(dtype, product.y, 'product')
  emit(...operands, y)
  const shaped = ctx.alias(y, product.outputShape)
  if (ctx.outputType(0).dtype === dtype) ctx.outputAlias(0, shaped)
  else ctx.step(steps.Cast({ x: shaped }), [ctx.output(0)])
}

/** Types the step MatMul takes as they are; others are computed in float32. */
function isMatMulInteger(dtype: DType): boolean {
  return dtype === 'int32' || dtype === 'int64'
}

/** Float or int32/int64 product of inputs 0 and 1 with these attributes. */
export function lowerProduct(
  ctx: LowerContext,
  attributes: StepAttributes<'MatMul'> = {},
  transA = false,
  transB = false,
): void {
  const [x, w] = [ctx.inputType(0), ctx.inputType(1)]
  const product = matrixProduct(ctx, x.shape, w.shape, transA, transB)
  const integer = isMatMulInteger(x.dtype)
  const a = integer ? ctx.input(0) : floatInput(ctx, 0)
  const b = integer ? ctx.input(1) : floatInput(ctx, 1)
  productStep(ctx, product, a, b, integer ? x.dtype : 'float32', (l, r, y) =>
    ctx.step(steps.MatMul({ a: l, b: r }, attributes), [y]),
  )
}

function checkSameType(ctx: InferContext): DType {
  const [a, b] = [ctx.required(0).dtype, ctx.required(1).dtype]
  if (a !== b) ctx.fail(`operands of one type, got ${a} and ${b}`)
  if (!isFloat(a) && !isMatMulInteger(a) && a !== 'uint32' && a !== 'uint64') {
    ctx.fail(`operands of a floating-point type or 32 or 64-bit integers, got ${a}`)
  }
  return a
}

function inferMatMul(ctx: InferContext): readonly Inferred[] {
  const dtype = checkSameType(ctx)
  const { outputShape } = matrixProduct(ctx, ctx.required(0).shape, ctx.required(1).shape)
  return [{ dtype, shape: outputShape }]
}

/** Sizes of Gemm's result, C checked; `c` may be any input that broadcasts to it. */
export function gemmShape(
  ctx: NodeContext,
  a: readonly Dim[],
  b: readonly Dim[],
  c: readonly Dim[] | undefined,
): readonly Dim[] {
  if (a.length !== 2 || b.length !== 2) {
    ctx.fail(`two matrices, got sizes ${formatShape(a)} and ${formatShape(b)}`)
  }
  const { transA, transB } = gemmTransposes(ctx)
  const { y } = matrixProduct(ctx, a, b, transA, transB)
  const fits = (size: Dim, i: number) =>
    size === 1 || compatible(size, y[y.length - (c?.length ?? 0) + i] as Dim)
  if (c !== undefined && (c.length > 2 || !c.every(fits))) {
    ctx.fail(`C to broadcast to ${formatShape(y)}, got ${formatShape(c)}`)
  }
  return y
}

export function gemmTransposes(ctx: NodeContext): { transA: boolean; transB: boolean } {
  return {
    transA: intAttribute(ctx.node, 'transA', 0) !== 0,
    transB: intAttribute(ctx.node, 'transB', 0) !== 0,
  }
}

export function inferGemm(ctx: InferContext): readonly Inferred[] {
  const dtype = checkSameType(ctx)
  return [{ dtype, shape: gemmShape(ctx, ctx.required(0).shape, ctx.required(1).shape, ctx.input(2)?.shape) }]
}

/** `fused`: attributes of an activation that the step applies; `into`: where the result goes, if not output 0. */
export function lowerGemm(ctx: LowerContext, fused: StepAttributes<'MatMul'> = {}, into?: number): void {
  const { transA, transB } = gemmTransposes(ctx)
  const attributes = {
    trans_a: ints(transA ? 1 : 0),
    trans_b: ints(transB ? 1 : 0),
    alpha: floats(floatAttribute(ctx.node, 'alpha', 1)),
    beta: floats(floatAttribute(ctx.node, 'beta', 1)),
    ...fused,
  }
  if (isMatMulInteger(ctx.inputType(0).dtype)) {
    ctx.step(steps.MatMul({ a: ctx.input(0), b: ctx.input(1), bias: ctx.input(2) }, attributes), [
      into ?? ctx.output(0),
    ])
    return
  }
  const inputs = { a: floatInput(ctx, 0), b: floatInput(ctx, 1), bias: floatInput(ctx, 2) }
  const step = steps.MatMul(inputs, attributes)
  if (into !== undefined) ctx.step(step, [into])
  else floatOutput(ctx, 0, undefined, (y) => ctx.step(step, [y]))
}

function lastTwo(shape: readonly Dim[], transposed: boolean): [Dim, Dim] {
  const [r, c] = [shape[shape.length - 2] as Dim, shape[shape.length - 1] as Dim]
  return transposed ? [c, r] : [r, c]
}

export const ops: readonly OpDef[] = [
  {
    opType: 'MatMul',
    domain: '',
    inputs: [2, 2],
    outputs: [1, 1],
    infer: inferMatMul,
    lower: (ctx) => lowerProduct(ctx),
    quantize: { kind: 'weighted', weight: 1, channelAxis: (_, rank) => rank - 1 },
  },
  {
    opType: 'Gemm',
    domain: '',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: inferGemm,
    lower: (ctx) => lowerGemm(ctx),
    quantize: {
      kind: 'weighted',
      weight: 1,
      bias: 2,
      channelAxis: (node) => (intAttribute(node, 'transB', 0) !== 0 ? 0 : 1),
    },
  },
]
