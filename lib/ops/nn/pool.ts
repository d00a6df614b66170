/** Pools over windows and over all spatial axes. */

import { byteLength, isFloat, isQuantized8 } from '../../graph/dtype.js'
import { add, type Dim, mul, sameDim, sub } from '../../graph/expr.js'
import { intAttribute, intsAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import type { StepAttributes } from '../../plan/build.js'
import { steps } from '../../plan/build.js'
import { reduceStep, unaryStep } from '../core/float-steps.js'
import { floatInput, floatOutput, scalar } from '../core/float32.js'
import type { NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef, QuantizeRule } from '../core/opdef.js'
import { checkFloat } from './conv.js'
import { columnMajorIndices } from './pool-indices.js'
import {
  channelsLast,
  intsOf,
  slidingWindow,
  type Window,
  windowExtent,
  windowStepAttributes,
} from './window.js'

type PoolFunction = 'max' | 'average' | 'lp'

/** The window of a pool node over x [N, C, spatial...]. */
export function poolWindow(ctx: NodeContext, x: readonly Dim[]): Window {
  if (x.length < 3) ctx.fail(`an input of rank 3 or more, got rank ${x.length}`)
  const kernel = intsAttribute(ctx.node, 'kernel_shape')
  if (kernel === undefined) return ctx.fail('attribute kernel_shape')
  const window = slidingWindow(ctx, x.slice(2), kernel, intAttribute(ctx.node, 'ceil_mode', 0) !== 0)
  window.pads.forEach((pad, i) => {
    const axis = i % kernel.length
    const extent = windowExtent(kernel[axis] as number, window.dilations[axis] as number)
    // A window within the pads would have no elements to take the average or the maximum of.
    if (typeof pad === 'number' && pad >= extent)
      ctx.fail(`pads smaller than the kernel (${extent}), got ${pad}`)
  })
  return window
}

/** Attributes of the steps Pool and QPool. */
export function poolStepAttributes(
  ctx: NodeContext,
  fn: PoolFunction,
  window: Window,
): StepAttributes<'Pool'> & StepAttributes<'QPool'> {
  return {
    fn: texts(fn),
    kernel: ints(...window.kernel),
    ...windowStepAttributes(window),
    count_include_pad: ints(intAttribute(ctx.node, 'count_include_pad', 0)),
  }
}

function inferPool(ctx: InferContext, fn: PoolFunction): readonly Inferred[] {
  const x = ctx.required(0)
  if (fn === 'max') {
    if (!isFloat(x.dtype) && !isQuantized8(x.dtype)) {
      ctx.fail(`an input of a floating-point type, int8 or uint8, got ${x.dtype}`)
    }
    const order = intAttribute(ctx.node, 'storage_order', 0)
    if (order !== 0 && order !== 1) ctx.fail(`storage_order 0 or 1, got ${order}`)
  } else {
    checkFloat(ctx, x.dtype)
  }
  if (fn === 'lp') lpExponent(ctx)
  const shape = [...x.shape.slice(0, 2), ...poolWindow(ctx, x.shape).output]
  const result: Inferred[] = [{ dtype: x.dtype, shape }]
  return fn === 'max' ? [...result, { dtype: 'int64', shape }] : result
}

function lowerPool(ctx: LowerContext, fn: PoolFunction): void {
  const { shape, dtype } = ctx.inputType(0)
  if (shape.length > 5) ctx.fail(`1 to 3 spatial axes, got ${shape.length - 2}`)
  const layout = channelsLast(shape.length)
  const window = poolStepAttributes(ctx, fn, poolWindow(ctx, shape))
  const wantsIndices = fn === 'max' && ctx.hasOutput(1)
  if (fn === 'max' && isQuantized8(dtype) && !wantsIndices) {
    const y = { scale: scalar(ctx, 1), zeroPoint: -1 }
    const x = { tensor: ctx.input(0, layout), ...y }
    ctx.step(steps.QPool({ x, y }, window), [ctx.output(0, layout)])
    return
  }
  const attributes = fn === 'lp' ? { ...window, p: ints(lpExponent(ctx)) } : window
  const x = floatInput(ctx, 0, layout)
  if (!wantsIndices) {
    floatOutput(ctx, 0, layout, (y) => ctx.step(steps.Pool({ x }, attributes), [y]))
    return
  }
  const dims = layout.map((axis) => ctx.outputType(1).shape[axis] as Dim)
  const columns = intAttribute(ctx.node, 'storage_order', 0) === 1 && shape.length > 3
  const indices = columns ? ctx.scratch('int64', dims, 'indices') : ctx.output(1, layout)
  if (ctx.hasOutput(0))
    floatOutput(ctx, 0, layout, (y) => ctx.step(steps.Pool({ x }, attributes), [y, indices]))
  else ctx.step(steps.Pool({ x }, attributes), [ctx.scratch('float32', dims), indices])
  if (columns) columnMajorIndices(ctx, indices, ctx.output(1, layout), dims, shape.slice(2))
}

function lpExponent(ctx: NodeContext): number {
  const p = intAttribute(ctx.node, 'p', 2)
  return Number.isSafeInteger(p) && p >= 1 ? p : ctx.fail(`p of at least 1, got ${p}`)
}

function inferGlobal(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  checkFloat(ctx, x.dtype)
  if (x.shape.length < 3) ctx.fail(`an input of rank 3 or more, got rank ${x.shape.length}`)
  return [{ dtype: x.dtype, shape: x.shape.map((size, axis) => (axis < 2 ? size : 1)) }]
}

/** A pool over whole axes is a reduction, whose sizes may be symbols; it works in the layout that x has. */
function lowerGlobal(ctx: LowerContext, fn: PoolFunction): void {
  const layout = ctx.sharedLayout()
  const rank = layout.length
  const spatial = Array.from({ length: rank - 2 }, (_, i) => layout.indexOf(i + 2)).sort((a, b) => a - b)
  const x = floatInput(ctx, 0, layout)
  floatOutput(ctx, 0, layout, (y) => {
    if (fn === 'max') reduceStep(ctx, 'max', x, y, spatial)
    else if (fn === 'average') reduceStep(ctx, 'mean', x, y, spatial)
    else reduceNorm(ctx, x, y, layout, spatial)
  })
}

function reduceNorm(
  ctx: LowerContext,
  x: number,
  y: number,
  layout: readonly number[],
  axes: readonly number[],
) {
  const p = lpExponent(ctx)
  if (p <= 2) {
    reduceStep(ctx, p === 1 ? 'l1' : 'l2', x, y, axes)
    return
  }
  const dims = (shape: readonly Dim[]) => layout.map((axis) => shape[axis] as Dim)
  const powers = ctx.scratch('float32', dims(ctx.inputType(0).shape), 'powers')
  const sums = ctx.scratch('float32', dims(ctx.outputType(0).shape), 'sums')
  unaryStep(ctx, ['abs', 'pow'], x, powers, [p])
  reduceStep(ctx, 'sum', powers, sums, axes)
  unaryStep(ctx, ['pow'], sums, y, [1 / p])
}

function inferUnpool(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  const indices = ctx.required(1)
  if (indices.dtype !== 'int64') ctx.fail(`indices of type int64, got ${indices.dtype}`)
  if (ctx.input(2) === undefined) return [{ dtype: x.dtype, shape: unpooledShape(ctx, x.shape) }]
  const shape = ctx.valuesOrRead(2)
  if (shape.length !== x.shape.length) {
    ctx.fail(`output_shape of ${x.shape.length} sizes, got ${shape.length}`)
  }
  return [{ dtype: x.dtype, shape }]
}

/** Indices count elements of the unpooled shape without output_shape; a larger output is padded at its ends. */
function lowerUnpool(ctx: LowerContext): void {
  const { dtype, shape } = ctx.inputType(0)
  const unpooled = unpooledShape(ctx, shape)
  const total = unpooled.reduce<Dim>(mul, 1)
  const count = shape.reduce<Dim>(mul, 1)
  const zero = ctx.constantTensor(dtype, [], new Uint8Array(byteLength(dtype, 1)))
  const zeros = ctx.scratch(dtype, [total], 'zeros')
  const scattered = ctx.scratch(dtype, [total], 'scattered')
  ctx.step(steps.Fill({ value: zero }), [zeros])
  const indices = ctx.alias(ctx.input(1), [count])
  const updates = ctx.alias(ctx.input(0), [count])
  const attributes = { axis: ints(0), reduction: texts('none') }
  ctx.step(steps.ScatterElements({ x: zeros, indices, updates }, attributes), [scattered])
  const result = ctx.alias(scattered, unpooled)
  const output = ctx.outputType(0).shape
  if (unpooled.every((size, axis) => sameDim(size, output[axis] as Dim))) {
    ctx.outputAlias(0, result)
    return
  }
  const ends = unpooled.map((size, axis) => sub(output[axis] as Dim, size))
  const pads = ints(...unpooled.map(() => 0), ...ends)
  ctx.step(steps.Pad({ x: result }, { pads, mode: texts('constant') }), [ctx.output(0)])
}

function unpooledShape(ctx: NodeContext, x: readonly Dim[]): readonly Dim[] {
  const rank = x.length - 2
  const kernel = intsAttribute(ctx.node, 'kernel_shape')
  if (rank < 1 || kernel?.length !== rank) {
    return ctx.fail(`kernel_shape of ${rank} sizes, got [${kernel?.join(', ') ?? ''}]`)
  }
  const strides = intsOf(ctx, 'strides', rank, 1, 1)
  const pads = intsOf(ctx, 'pads', 2 * rank, 0, 0)
  const spatial = x.slice(2).map((size, i) => {
    const cut = (kernel[i] as number) - (pads[i] as number) - (pads[i + rank] as number)
    return add(mul(sub(size, 1), strides[i] as number), cut)
  })
  return [...x.slice(0, 2), ...spatial]
}

function pool(opType: string, fn: PoolFunction, quantize?: QuantizeRule): OpDef {
  return {
    opType,
    domain: '',
    inputs: [1, 1],
    outputs: [1, fn === 'max' ? 2 : 1],
    infer: (ctx) => inferPool(ctx, fn),
    lower: (ctx) => lowerPool(ctx, fn),
    quantize,
  }
}

function globalPool(opType: string, fn: PoolFunction, quantize?: QuantizeRule): OpDef {
  return {
    opType,
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: inferGlobal,
    lower: (ctx) => lowerGlobal(ctx, fn),
    quantize,
  }
}

export const ops: readonly OpDef[] = [
  pool('MaxPool', 'max', { kind: 'shared' }),
  pool('AveragePool', 'average', { kind: 'activation' }),
  pool('LpPool', 'lp'),
  globalPool('GlobalMaxPool', 'max', { kind: 'shared' }),
  globalPool('GlobalAveragePool', 'average', { kind: 'activation' }),
  globalPool('GlobalLpPool', 'lp'),
  {
    opType: 'MaxUnpool',
    domain: '',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: inferUnpool,
    lower: lowerUnpool,
  },
]
