/**
 * Sliding windows: sizes and pads of convolutions and pools, as expressions, from the attributes that
 * Conv, ConvTranspose and the pools share (ONNX: kernel_shape, strides, dilations, pads, auto_pad, ceil_mode).
 */

import { add, ceilDiv, type Dim, floorDiv, formatDim, max, min, mul, sub } from '../../graph/expr.js'
import { intsAttribute, stringAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import type { NodeContext } from '../core/helpers.js'

export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Begin of every spatial axis, then end of every spatial axis. */
  readonly pads: readonly Dim[]
  /** Spatial sizes of the output. */
  readonly output: readonly Dim[]
}

const AUTO_PADS = ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'] as const
type AutoPad = (typeof AUTO_PADS)[number]

/** The window of Conv or of a pool over spatial sizes `input`; a ceil_mode window may overhang the end pads. */
export function slidingWindow(
  ctx: NodeContext,
  input: readonly Dim[],
  kernel: readonly number[],
  ceilMode = false,
): Window {
  const rank = input.length
  const { strides, dilations, autoPad, given } = windowAttributes(ctx, kernel, rank)
  const pads: Dim[] = new Array<Dim>(2 * rank).fill(0)
  const output = input.map((size, i) => {
    const stride = at(strides, i)
    const extent = windowExtent(at(kernel, i), at(dilations, i))
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') {
      const count = ceilDiv(size, stride)
      const total = max(sub(add(mul(sub(count, 1), stride), extent), size), 0)
      const [begin, end] = split(total, autoPad === 'SAME_LOWER')
      pads[i] = begin
      pads[i + rank] = end
      return count
    }
    const begin = autoPad === 'VALID' ? 0 : at(given, i)
    const end = autoPad === 'VALID' ? 0 : at(given, i + rank)
    pads[i] = begin
    pads[i + rank] = end
    return windowCount(ctx, size, { begin, end, stride, extent, ceilMode })
  })
  return { kernel, strides, dilations, pads, output }
}

/**
 * The window of ConvTranspose. `pads` are what is cut from the full result `stride * (input - 1) + extent`; the
 * output may be longer than what is left (output_padding, a large output_shape): the rest holds the bias.
 */
export function transposedWindow(ctx: NodeContext, input: readonly Dim[], kernel: readonly number[]): Window {
  const rank = input.length
  const { strides, dilations, autoPad, given } = windowAttributes(ctx, kernel, rank)
  const extra = intsOf(ctx, 'output_padding', rank, 0, 0)
  const wanted = spatialOutputShape(ctx, rank)
  const pads: Dim[] = new Array<Dim>(2 * rank).fill(0)
  const output = input.map((size, i) => {
    const stride = at(strides, i)
    if (at(extra, i) >= Math.max(stride, at(dilations, i))) {
      ctx.fail(`output_padding below the stride or the dilation, got ${at(extra, i)} on spatial axis ${i}`)
    }
    const extent = windowExtent(at(kernel, i), at(dilations, i))
    const full = add(add(mul(sub(size, 1), stride), extent), at(extra, i))
    const same = autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER'
    if (wanted === undefined && !same) {
      const begin = autoPad === 'VALID' ? 0 : at(given, i)
      const end = autoPad === 'VALID' ? 0 : at(given, i + rank)
      pads[i] = begin
      pads[i + rank] = end
      return checkedSize(ctx, sub(full, begin + end), i)
    }
    const target = wanted === undefined ? mul(size, stride) : at(wanted, i)
    const total = max(sub(full, target), 0)
    // With output_shape the text of the standard has changed sides over time; onnxruntime, which models were exported
    // for, puts the odd element at the end, except with SAME_UPPER.
    const beginHeavy = wanted === undefined ? autoPad === 'SAME_LOWER' : autoPad === 'SAME_UPPER'
    const [begin, end] = split(total, beginHeavy)
    pads[i] = begin
    pads[i + rank] = end
    return target
  })
  return { kernel, strides, dilations, pads, output }
}

/** Elements that a dilated window spans. */
export function windowExtent(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1
}

/** strides, pads and dilations as attributes of a step. */
export function windowStepAttributes(window: Window) {
  return {
    strides: ints(...window.strides),
    pads: ints(...window.pads),
    dilations: ints(...window.dilations),
  }
}

/** [N, spatial..., C] of a tensor of this rank. */
export function channelsLast(rank: number): readonly number[] {
  return [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]
}

/** An attribute of `rank` integers of at least `least`; `fallback` for each where it is absent. */
export function intsOf(
  ctx: NodeContext,
  name: string,
  rank: number,
  fallback: number,
  least: number,
): readonly number[] {
  const value = intsAttribute(ctx.node, name)
  if (value === undefined || value.length === 0) return new Array<number>(rank).fill(fallback)
  if (value.length !== rank || value.some((v) => !Number.isSafeInteger(v) || v < least)) {
    ctx.fail(`${name} of ${rank} integers, each at least ${least}, got [${value.join(', ')}]`)
  }
  return value
}

function windowAttributes(ctx: NodeContext, kernel: readonly number[], rank: number) {
  if (kernel.length !== rank) {
    ctx.fail(`a kernel of ${rank} sizes for ${rank} spatial axes, got [${kernel.join(', ')}]`)
  }
  if (kernel.some((k) => !Number.isSafeInteger(k) || k < 1)) {
    ctx.fail(`kernel sizes of at least 1, got [${kernel.join(', ')}]`)
  }
  const autoPad = (stringAttribute(ctx.node, 'auto_pad', 'NOTSET') || 'NOTSET') as AutoPad
  if (!AUTO_PADS.includes(autoPad)) {
    ctx.fail(`auto_pad to be one of ${AUTO_PADS.join(', ')}, got '${autoPad}'`)
  }
  return {
    strides: intsOf(ctx, 'strides', rank, 1, 1),
    dilations: intsOf(ctx, 'dilations', rank, 1, 1),
    given: intsOf(ctx, 'pads', 2 * rank, 0, 0),
    autoPad,
  }
}

interface Span {
  readonly begin: number
  readonly end: number
  readonly stride: number
  readonly extent: number
  readonly ceilMode: boolean
}

function windowCount(ctx: NodeContext, size: Dim, span: Span): Dim {
  const { begin, end, stride, extent, ceilMode } = span
  const room = sub(add(size, begin + end), extent)
  if (typeof room === 'number' && room < 0) {
    ctx.fail(
      `an input of at least ${extent} elements with its pads, got ${formatDim(size)} + ${begin} + ${end}`,
    )
  }
  if (!ceilMode) return add(floorDiv(room, stride), 1)
  // A window that would start in the end pads is left out.
  const starts = add(floorDiv(sub(add(size, begin), 1), stride), 1)
  return min(add(ceilDiv(room, stride), 1), starts)
}

function spatialOutputShape(ctx: NodeContext, rank: number): readonly number[] | undefined {
  const shape = intsAttribute(ctx.node, 'output_shape')
  if (shape === undefined || shape.length === 0) return undefined
  if ((shape.length !== rank && shape.length !== rank + 2) || shape.some((v) => v < 1)) {
    ctx.fail(`output_shape of ${rank} positive sizes, got [${shape.join(', ')}]`)
  }
  return shape.slice(-rank)
}

function checkedSize(ctx: NodeContext, size: Dim, axis: number): Dim {
  if (typeof size === 'number' && size < 1) {
    ctx.fail(`pads that leave an output, got size ${size} on spatial axis ${axis}`)
  }
  return size
}

/** total in two parts; the odd element goes to the begin or to the end. */
function split(total: Dim, beginHeavy: boolean): [Dim, Dim] {
  const small = floorDiv(total, 2)
  const large = sub(total, small)
  return beginHeavy ? [large, small] : [small, large]
}

function at(values: readonly number[], i: number): number {
  return values[i] as number
}
