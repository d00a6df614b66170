/** RotaryEmbedding of the standard: pairs of elements turned by the angle of their position. */

import { type Dim, formatDim, sameDim, sub } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { binaryStep } from '../core/float-steps.js'
import { floatInput, storeFloat } from '../core/float32.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { checkFloat } from './conv.js'

/** x as the steps see it: [batch, heads, sequence, size] or, from rank 3, [batch, sequence, heads, size]. */
function headShape(ctx: NodeContext, x: readonly Dim[]): readonly Dim[] {
  if (x.length === 4) return x
  const heads = intAttribute(ctx.node, 'num_heads', 0)
  const hidden = x[2]
  if (x.length !== 3 || heads < 1 || typeof hidden !== 'number' || hidden % heads !== 0) {
    return ctx.fail(
      `rank 4, or rank 3 and num_heads that divides the last axis, got ${formatShape(x)} and ${heads}`,
    )
  }
  return [x[0] as Dim, x[1] as Dim, heads, hidden / heads]
}

/** Elements of each head that turn. */
function rotaryDim(ctx: NodeContext, size: Dim | undefined): number {
  const given = intAttribute(ctx.node, 'rotary_embedding_dim', 0)
  const dim = given === 0 ? size : given
  if (typeof dim !== 'number' || dim % 2 !== 0 || dim < 2 || (typeof size === 'number' && dim > size)) {
    return ctx.fail(`an even rotary_embedding_dim of at most ${formatDim(size ?? 0)}, got ${dim}`)
  }
  return dim
}

function infer(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  checkFloat(ctx, x.dtype)
  const half = rotaryDim(ctx, headShape(ctx, x.shape)[3]) / 2
  const rank = ctx.input(3) === undefined ? 3 : 2
  for (const i of [1, 2]) {
    const { shape } = ctx.required(i)
    const last = shape[shape.length - 1]
    if (shape.length !== rank || (typeof last === 'number' && last !== half)) {
      ctx.fail(`input ${i} of rank ${rank} with a last axis of ${half}, got ${formatShape(shape)}`)
    }
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

function lower(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const dims = headShape(ctx, shape)
  const turning = rotaryDim(ctx, dims[3])
  const interleaved = intAttribute(ctx.node, 'interleaved', 0) !== 0
  const x = ctx.alias(floatInput(ctx, 0), dims)
  const turned = rotate(ctx, part(ctx, x, dims, 0, turning), dims, turning, interleaved)
  const rest = sub(dims[3] as Dim, turning)
  if (rest === 0) {
    storeFloat(ctx, 0, ctx.alias(turned, shape))
    return
  }
  const y = ctx.scratch('float32', dims, 'y')
  ctx.step(steps.Concat({ x: [turned, part(ctx, x, dims, turning, rest)] }, { axis: ints(3) }), [y])
  storeFloat(ctx, 0, ctx.alias(y, shape))
}

/** (a, b) -> (a cos - b sin, a sin + b cos); a and b are halves of x, or its even and odd elements. */
function rotate(
  ctx: LowerContext,
  x: number,
  dims: readonly Dim[],
  turning: number,
  interleaved: boolean,
): number {
  const half = turning / 2
  const lead = dims.slice(0, 3)
  const [cos, sin] = [angles(ctx, 1, dims, half, interleaved), angles(ctx, 2, dims, half, interleaved)]
  const source = interleaved ? [...lead, half, 2] : [...lead, turning]
  const pair = interleaved ? [...lead, half, 1] : [...lead, half]
  const values = ctx.alias(x, source)
  const [a, b] = [0, interleaved ? 1 : half].map((start) =>
    part(ctx, values, source, start, interleaved ? 1 : half),
  ) as [number, number]
  const combine = (fn: 'sub' | 'add', p: number, q: number): number => {
    const [left, right, sum] = [0, 0, 0].map(() => ctx.scratch('float32', pair)) as [number, number, number]
    binaryStep(ctx, 'mul', a, p, left)
    binaryStep(ctx, 'mul', b, q, right)
    binaryStep(ctx, fn, left, right, sum)
    return sum
  }
  const turned = ctx.scratch('float32', source, 'turned')
  const axis = ints(source.length - 1)
  ctx.step(steps.Concat({ x: [combine('sub', cos, sin), combine('add', sin, cos)] }, { axis }), [turned])
  return ctx.alias(turned, [...lead, turning])
}

/** cos or sin of every position, broadcastable to one half of x: [batch, 1, sequence, half] or [batch, sequence, 1, half]. */
function angles(
  ctx: LowerContext,
  i: number,
  dims: readonly Dim[],
  half: number,
  interleaved: boolean,
): number {
  const flat = ctx.inputType(0).shape.length === 3
  const [batch, sequence] = [dims[0] as Dim, dims[flat ? 1 : 2] as Dim]
  let tensor = floatInput(ctx, i)
  if (ctx.has(3)) {
    const gathered = ctx.scratch('float32', [batch, sequence, half], 'angles')
    ctx.step(steps.Gather({ x: tensor, indices: ctx.input(3) }, { axis: ints(0) }), [gathered])
    tensor = gathered
  }
  const placed = flat ? [batch, sequence, 1, half] : [batch, 1, sequence, half]
  return ctx.alias(tensor, interleaved ? [...placed, 1] : placed)
}

/** `count` elements of the last axis from `start` on. */
function part(ctx: LowerContext, x: number, dims: readonly Dim[], start: number, count: Dim): number {
  const last = dims.length - 1
  if (start === 0 && sameDim(count, dims[last] as Dim)) return x
  const tensor = ctx.scratch('float32', [...dims.slice(0, last), count], 'part')
  const starts = ints(...dims.map((_, axis) => (axis === last ? start : 0)))
  ctx.step(steps.Slice({ x }, { starts, steps: ints(...dims.map(() => 1)) }), [tensor])
  return tensor
}

export const ops: readonly OpDef[] = [
  { opType: 'RotaryEmbedding', domain: '', inputs: [3, 4], outputs: [1, 1], infer, lower },
]
