/** Operators of onnxruntime (com.microsoft) on quantized tensors: elementwise, pools, Concat, Softmax, Where. */

import type { DType } from '../../graph/dtype.js'
import { add, type Dim, product } from '../../graph/expr.js'
import { floatAttribute, intAttribute } from '../../graph/graph.js'
import { floats, ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { axisAttribute, broadcastShapes, inLayout, layoutOfRank } from '../core/helpers.js'
import type { InferContext, Inferred, Layout, LowerContext, OpDef } from '../core/opdef.js'
import { poolStepAttributes, poolWindow } from '../nn/pool.js'
import { channelsLast } from '../nn/window.js'
import {
  checkQuantized,
  checkScale,
  checkZeroPoint,
  quantizedOutputType,
  tensorOperand,
  tensorParameters,
} from './quantization-parameters.js'

/** The type of an output whose scale is input `scale` and whose zero point follows it. */
function checkOutput(ctx: InferContext, scale: number): DType {
  checkScale(ctx, scale)
  const dtype = quantizedOutputType(ctx, scale + 1)
  checkZeroPoint(ctx, scale + 1, dtype)
  return dtype
}

function checkOperand(ctx: InferContext, value: number): readonly Dim[] {
  checkQuantized(ctx, { value, scale: value + 1, zeroPoint: value + 2 })
  return ctx.required(value).shape
}

/** x, x_scale, x_zero_point, y_scale, y_zero_point */
function inferSame(ctx: InferContext): readonly Inferred[] {
  const shape = checkOperand(ctx, 0)
  return [{ dtype: checkOutput(ctx, 3), shape }]
}

function inferBinary(ctx: InferContext): readonly Inferred[] {
  const [a, b] = [checkOperand(ctx, 0), checkOperand(ctx, 3)]
  return [{ dtype: checkOutput(ctx, 6), shape: broadcastShapes(ctx, [a, b]) }]
}

function lowerBinary(ctx: LowerContext, fn: string): void {
  const layout = ctx.sharedLayout()
  const a = tensorOperand(ctx, ctx.broadcastInput(0, layout), 1)
  const b = tensorOperand(ctx, ctx.broadcastInput(3, layout), 4)
  const y = tensorParameters(ctx, 6)
  ctx.step(steps.QBinary({ a, b, y }, { fn: texts(fn) }), [ctx.output(0, layout)])
}

function lowerUnary(ctx: LowerContext, fns: readonly string[], params: readonly number[]): void {
  const layout = ctx.sharedLayout()
  const attributes = { fns: texts(...fns), params: floats(...params) }
  ctx.step(steps.QUnary(oneInput(ctx, layout), attributes), [ctx.output(0, layout)])
}

/** x, x_scale, x_zero_point, y_scale, y_zero_point */
function oneInput(ctx: LowerContext, layout: Layout) {
  return { x: tensorOperand(ctx, ctx.input(0, layout), 1), y: tensorParameters(ctx, 3) }
}

/** y_scale, y_zero_point, then x, x_scale, x_zero_point per input. */
function concatInputs(ctx: InferContext | LowerContext): readonly number[] {
  const count = (ctx.node.inputs.length - 2) / 3
  if (!Number.isInteger(count) || count < 1) {
    ctx.fail(`2 inputs and 3 more per tensor, got ${ctx.node.inputs.length}`)
  }
  return Array.from({ length: count }, (_, k) => 2 + 3 * k)
}

function inferConcat(ctx: InferContext): readonly Inferred[] {
  const shapes = concatInputs(ctx).map((value) => checkOperand(ctx, value))
  const first = shapes[0] as readonly Dim[]
  const axis = axisAttribute(ctx, first.length, 1)
  return [{ dtype: checkOutput(ctx, 0), shape: concatShape(ctx, shapes, axis) }]
}

function lowerConcat(ctx: LowerContext): void {
  const rank = ctx.outputType(0).shape.length
  const layout = layoutOfRank(ctx, rank)
  const x = concatInputs(ctx).map((value) => tensorOperand(ctx, ctx.input(value, layout), value + 1))
  const axis = ints(layout.indexOf(axisAttribute(ctx, rank, 1)))
  ctx.step(steps.QConcat({ y: tensorParameters(ctx, 0), x }, { axis }), [ctx.output(0, layout)])
}

function isChannelsLast(ctx: InferContext | LowerContext): boolean {
  return intAttribute(ctx.node, 'channels_last', 0) !== 0
}

/** Axes of x that are N, spatial..., C in this order. */
function poolLayout(ctx: InferContext | LowerContext, rank: number): Layout {
  return isChannelsLast(ctx) ? Array.from({ length: rank }, (_, i) => i) : channelsLast(rank)
}

/** [N, C, spatial...] of x, as the window arithmetic takes it. */
function channelsFirst(ctx: InferContext | LowerContext, x: readonly Dim[]): readonly Dim[] {
  if (x.length < 3) ctx.fail(`an input of rank 3 or more, got rank ${x.length}`)
  return isChannelsLast(ctx) ? [x[0] as Dim, x[x.length - 1] as Dim, ...x.slice(1, -1)] : x
}

function inferAveragePool(ctx: InferContext): readonly Inferred[] {
  const x = checkOperand(ctx, 0)
  const [batch, channels] = channelsFirst(ctx, x) as [Dim, Dim]
  const { output } = poolWindow(ctx, channelsFirst(ctx, x))
  const shape = isChannelsLast(ctx) ? [batch, ...output, channels] : [batch, channels, ...output]
  return [{ dtype: checkOutput(ctx, 3), shape }]
}

function lowerAveragePool(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const layout = poolLayout(ctx, shape.length)
  const attributes = poolStepAttributes(ctx, 'average', poolWindow(ctx, channelsFirst(ctx, shape)))
  ctx.step(steps.QPool(oneInput(ctx, layout), attributes), [ctx.output(0, layout)])
}

function inferGlobalPool(ctx: InferContext): readonly Inferred[] {
  const x = checkOperand(ctx, 0)
  const [batch, channels] = channelsFirst(ctx, x) as [Dim, Dim]
  const ones = new Array<Dim>(x.length - 2).fill(1)
  const shape = isChannelsLast(ctx) ? [batch, ...ones, channels] : [batch, channels, ...ones]
  return [{ dtype: checkOutput(ctx, 3), shape }]
}

function lowerGlobalPool(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const layout = poolLayout(ctx, shape.length)
  const axes = ints(...shape.slice(2).map((_, i) => i + 1))
  ctx.step(steps.QReduceMean(oneInput(ctx, layout), { axes }), [ctx.output(0, layout)])
}

/** Before opset 13 Softmax was over all axes from `axis` on. */
function lowerSoftmax(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const axis = axisAttribute(ctx, shape.length, -1)
  if (intAttribute(ctx.node, 'opset', 13) >= 13) {
    const layout = ctx.sharedLayout()
    const attributes = { axis: ints(layout.indexOf(axis)) }
    ctx.step(steps.QSoftmax(oneInput(ctx, layout), attributes), [ctx.output(0, layout)])
    return
  }
  const flat = [product(shape.slice(0, axis)), product(shape.slice(axis))]
  const y = ctx.scratch(ctx.outputType(0).dtype, flat, 'softmax')
  const x = tensorOperand(ctx, ctx.alias(ctx.input(0), flat), 1)
  ctx.step(steps.QSoftmax({ x, y: tensorParameters(ctx, 3) }, { axis: ints(1) }), [y])
  ctx.outputAlias(0, ctx.alias(y, shape))
}

/** condition, x, x_scale, x_zero_point, y, y_scale, y_zero_point, z_scale, z_zero_point */
function inferWhere(ctx: InferContext): readonly Inferred[] {
  const condition = ctx.required(0)
  if (condition.dtype !== 'bool') ctx.fail(`a condition of type bool, got ${condition.dtype}`)
  const shapes = [condition.shape, checkOperand(ctx, 1), checkOperand(ctx, 4)]
  return [{ dtype: checkOutput(ctx, 7), shape: broadcastShapes(ctx, shapes) }]
}

function lowerWhere(ctx: LowerContext): void {
  const { dtype } = ctx.outputType(0)
  const layout = ctx.sharedLayout()
  const side = (value: number): number => {
    const { shape } = ctx.inputType(value)
    const padded = [...new Array<Dim>(layout.length - shape.length).fill(1), ...shape]
    const requantized = ctx.scratch(dtype, inLayout(padded, layout), 'requantized')
    const x = tensorOperand(ctx, ctx.broadcastInput(value, layout), value + 1)
    const inputs = { x, y: tensorParameters(ctx, 7) }
    ctx.step(steps.QUnary(inputs, { fns: texts(), params: floats() }), [requantized])
    return requantized
  }
  const [a, b] = [side(1), side(4)]
  const condition = ctx.broadcastInput(0, layout)
  ctx.step(steps.Where({ condition, a, b }), [ctx.output(0, layout)])
}

type Definition = Pick<OpDef, 'inputs' | 'infer' | 'lower'>

function contrib(opType: string, definition: Definition): OpDef {
  return { opType, domain: 'com.microsoft', outputs: [1, 1], ...definition }
}

export const ops: readonly OpDef[] = [
  contrib('QLinearAdd', { inputs: [7, 8], infer: inferBinary, lower: (ctx) => lowerBinary(ctx, 'add') }),
  contrib('QLinearMul', { inputs: [7, 8], infer: inferBinary, lower: (ctx) => lowerBinary(ctx, 'mul') }),
  contrib('QLinearConcat', { inputs: [5, 1_000_000], infer: inferConcat, lower: lowerConcat }),
  contrib('QLinearSigmoid', {
    inputs: [4, 5],
    infer: inferSame,
    lower: (ctx) => lowerUnary(ctx, ['sigmoid'], []),
  }),
  contrib('QLinearLeakyRelu', {
    inputs: [4, 5],
    infer: inferSame,
    lower: (ctx) => lowerUnary(ctx, ['leakyrelu'], [floatAttribute(ctx.node, 'alpha', 0.01)]),
  }),
  contrib('QLinearAveragePool', { inputs: [4, 5], infer: inferAveragePool, lower: lowerAveragePool }),
  contrib('QLinearGlobalAveragePool', { inputs: [4, 5], infer: inferGlobalPool, lower: lowerGlobalPool }),
  contrib('QLinearSoftmax', { inputs: [4, 5], infer: inferSame, lower: lowerSoftmax }),
  contrib('QLinearWhere', { inputs: [8, 9], infer: inferWhere, lower: lowerWhere }),
]

/** Sizes of a concatenation; other axes must agree. */
function concatShape(ctx: InferContext, shapes: readonly (readonly Dim[])[], axis: number): readonly Dim[] {
  const first = shapes[0] as readonly Dim[]
  return first.map((size, i) => {
    const sizes = shapes.map((shape) =>
      shape.length === first.length
        ? (shape[i] as Dim)
        : ctx.fail(`inputs of rank ${first.length}, got rank ${shape.length}`),
    )
    if (i === axis) return sizes.reduce(add)
    const known = sizes.filter((s) => typeof s === 'number')
    if (known.some((s) => s !== known[0]))
      ctx.fail(`inputs with equal sizes on axis ${i}, got ${sizes.join(', ')}`)
    return known[0] ?? size
  })
}
