/** Resize: nearest, linear and cubic interpolation of any axes. */

import { isFloat } from '../../graph/dtype.js'
import { type Dim, sameDim } from '../../graph/expr.js'
import { floatAttribute, intAttribute, intsAttribute, stringAttribute } from '../../graph/graph.js'
import { numbersOf } from '../../graph/tensor.js'
import { floats, ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { inLayout, type NodeContext, needConstant, needSizes, normalizeAxes } from '../core/helpers.js'
import type { InferContext, Inferred, Layout, LowerContext, OpDef } from '../core/opdef.js'
import { aspectScale, scaledSize } from './resize-sizes.js'
import { channelsLast } from './window.js'

const MODES = ['nearest', 'linear', 'cubic'] as const
const COORDINATES = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_crop_and_resize',
  'tf_half_pixel_for_nn',
] as const
const NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const
const POLICIES = ['stretch', 'not_larger', 'not_smaller'] as const

type ResizeContext = Pick<InferContext, 'node' | 'values' | 'valuesOrRead' | 'constant' | 'fail'>

/** What a Resize does to its input, one entry per axis of it. */
interface Resizing {
  readonly output: readonly Dim[]
  /** undefined: sizes were given, the scale is output / input. */
  readonly scales: readonly number[] | undefined
  /** Begin of every axis, then end, as fractions of the input. */
  readonly roi: readonly number[] | undefined
}

function resizing(ctx: ResizeContext, x: readonly Dim[]): Resizing {
  const given = intsAttribute(ctx.node, 'axes')
  // The order of axes is that of sizes, scales and roi.
  const axes = given ?? x.map((_, axis) => axis)
  normalizeAxes(ctx, axes, x.length)
  const order = axes.map((axis) => (axis < 0 ? axis + x.length : axis))
  const spread = <T>(values: readonly T[], fallback: (axis: number) => T): T[] =>
    x.map((_, axis) => {
      const at = order.indexOf(axis)
      return at < 0 ? fallback(axis) : (values[at] as T)
    })
  const roi = regionOf(ctx, order.length)
  const fullRoi = roi && [
    ...spread(roi.slice(0, order.length), () => 0),
    ...spread(roi.slice(order.length), () => 1),
  ]
  if (!hasSizes(ctx)) {
    const scales = spread(scalesOf(ctx, order.length), () => 1)
    return { output: x.map((size, axis) => scaledSize(size, scales[axis] as number)), scales, roi: fullRoi }
  }
  const sizes = ctx.valuesOrRead(3)
  if (sizes.length !== order.length) ctx.fail(`${order.length} sizes (input 3), got ${sizes.length}`)
  const policy = oneOf(ctx, 'keep_aspect_ratio_policy', 'stretch', POLICIES)
  if (policy === 'stretch') {
    return { output: spread(sizes, (axis) => x[axis] as Dim), scales: undefined, roi: fullRoi }
  }
  const known = inLayout(x, order)
  const scale = aspectScale(known, sizes, policy === 'not_larger')
  if (scale === undefined)
    return needSizes(ctx, 'sizes that are constant, because keep_aspect_ratio_policy is not stretch', 3)
  const kept = known.map((size): Dim => Math.floor(scale * (size as number) + 0.5))
  const output = spread(kept, (axis) => x[axis] as Dim)
  return {
    output,
    scales: spread(
      order.map(() => scale),
      () => 1,
    ),
    roi: fullRoi,
  }
}

function hasSizes(ctx: ResizeContext): boolean {
  return (ctx.node.inputs[3] ?? '') !== '' && ctx.values(3)?.length !== 0
}

function scalesOf(ctx: ResizeContext, count: number): readonly number[] {
  if ((ctx.node.inputs[2] ?? '') === '') ctx.fail('scales (input 2) or sizes (input 3), got neither')
  const constant = ctx.constant(2) ?? needConstant(ctx, 2, 'scales')
  const scales = [...numbersOf(constant)]
  if (scales.length !== count || !scales.every((s) => Number.isFinite(s) && s > 0)) {
    ctx.fail(`${count} positive scales (input 2), got [${scales.join(', ')}]`)
  }
  return scales
}

/** roi matters to tf_crop_and_resize alone. */
function regionOf(ctx: ResizeContext, count: number): readonly number[] | undefined {
  if (coordinatesOf(ctx) !== 'tf_crop_and_resize') return undefined
  if ((ctx.node.inputs[1] ?? '') === '') ctx.fail('roi (input 1) for tf_crop_and_resize, got none')
  const roi = [...numbersOf(ctx.constant(1) ?? needConstant(ctx, 1, 'roi'))]
  if (roi.length !== 2 * count) ctx.fail(`${2 * count} numbers in roi (input 1), got ${roi.length}`)
  return roi
}

function coordinatesOf(ctx: NodeContext): (typeof COORDINATES)[number] {
  return oneOf(ctx, 'coordinate_transformation_mode', 'half_pixel', COORDINATES)
}

function oneOf<T extends string>(ctx: NodeContext, name: string, fallback: T, allowed: readonly T[]): T {
  const value = stringAttribute(ctx.node, name, fallback)
  return allowed.find((a) => a === value) ?? ctx.fail(`${name} of ${allowed.join(', ')}, got '${value}'`)
}

function infer(ctx: InferContext): readonly Inferred[] {
  const { dtype, shape } = ctx.required(0)
  if (!isFloat(dtype) && !['int8', 'uint8', 'int16', 'uint16'].includes(dtype)) {
    ctx.fail(`an input of a floating-point type or of integers up to 16 bits, got ${dtype}`)
  }
  oneOf(ctx, 'mode', 'nearest', MODES)
  oneOf(ctx, 'nearest_mode', 'round_prefer_floor', NEAREST)
  return [{ dtype, shape: resizing(ctx, shape).output }]
}

function lower(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const how = resizing(ctx, shape)
  const resized = shape.map((_, axis) => changes(how, shape, axis))
  const layout = resizeLayout(resized)
  const spatial = layout ? layout.slice(1, -1) : shape.map((_, axis) => axis)
  const attributes = stepAttributes(ctx, how, spatial, shape.length)
  const x = floatInput(ctx, 0, layout)
  floatOutput(ctx, 0, layout, (y) => {
    if (layout) {
      ctx.step(steps.Resize({ x }, attributes), [y])
      return
    }
    const framed = ctx.scratch('float32', [1, ...how.output, 1], 'resized')
    ctx.step(steps.Resize({ x: ctx.alias(x, [1, ...shape, 1]) }, attributes), [framed])
    ctx.step(steps.Copy({ x: framed }), [y])
  })
}

function changes({ output, scales, roi }: Resizing, shape: readonly Dim[], axis: number): boolean {
  const rank = shape.length
  const cropped = roi !== undefined && (roi[axis] !== 0 || roi[axis + rank] !== 1)
  return cropped || (scales ? scales[axis] !== 1 : !sameDim(output[axis] as Dim, shape[axis] as Dim))
}

/** A layout whose first and last axis stay as they are; undefined where all axes must count as spatial. */
function resizeLayout(resized: readonly boolean[]): Layout | undefined {
  const rank = resized.length
  if (rank < 3 || resized[0]) return undefined
  if (!resized[1]) return channelsLast(rank)
  return resized[rank - 1] ? undefined : resized.map((_, axis) => axis)
}

function stepAttributes(ctx: NodeContext, how: Resizing, spatial: readonly number[], rank: number) {
  const { node } = ctx
  const { scales, roi } = how
  const region = roi && [...spatial, ...spatial.map((axis) => axis + rank)].map((i) => roi[i] as number)
  return {
    fn: texts(oneOf(ctx, 'mode', 'nearest', MODES)),
    coordinates: texts(coordinatesOf(ctx)),
    nearest: texts(oneOf(ctx, 'nearest_mode', 'round_prefer_floor', NEAREST)),
    cubic_a: floats(floatAttribute(node, 'cubic_coeff_a', -0.75)),
    exclude_outside: ints(intAttribute(node, 'exclude_outside', 0)),
    extrapolation: floats(floatAttribute(node, 'extrapolation_value', 0)),
    antialias: ints(intAttribute(node, 'antialias', 0)),
    ...(scales ? { scales: floats(...inLayout(scales, spatial)) } : {}),
    ...(region ? { roi: floats(...region) } : {}),
  }
}

export const ops: readonly OpDef[] = [
  {
    opType: 'Resize',
    domain: '',
    inputs: [1, 4],
    outputs: [1, 1],
    infer,
    lower,
    quantize: { kind: 'shared' },
  },
]
