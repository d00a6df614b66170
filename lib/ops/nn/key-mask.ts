/** Masks of keys as onnxruntime's attention takes them. */
import type { Dim } from '../../graph/expr.js'
import { floatAttribute } from '../../graph/graph.js'
import { steps } from '../../plan/build.js'
import { binaryStep } from '../core/float-steps.js'
import { floatInput, scalar } from '../core/float32.js'
import { formatShape } from '../core/helpers.js'
import type { LowerContext } from '../core/opdef.js'
import { compatible } from './conv.js'

export interface KeyMask {
  /** Added to scores, of rank 4. */
  readonly bias?: { readonly tensor: number; readonly dims: readonly Dim[] }
  /** Numbers of keys that there are, [batch]. */
  readonly lengths?: number
}

/**
 * Input i: [batch] lengths; [batch, keys] or [batch, queries, keys], where 0 hides a key: `mask_filter_value` is added to
 * its score, which is finite.
 */
export function keyMask(
  ctx: LowerContext,
  i: number,
  { batch, queries, total }: { readonly batch: Dim; readonly queries: Dim; readonly total: Dim },
): KeyMask {
  if (!ctx.has(i)) return {}
  const { dtype, shape } = ctx.inputType(i)
  if (shape.length === 1 && compatible(shape[0] as Dim, batch)) return { lengths: ctx.input(i) }
  const dims =
    shape.length === 2 ? [batch, 1, 1, total] : shape.length === 3 ? [batch, 1, queries, total] : undefined
  const expected = shape.length === 2 ? [batch, total] : [batch, queries, total]
  if (!dims || !expected.every((d, axis) => compatible(d, shape[axis] as Dim))) {
    return ctx.fail(
      `a mask (input ${i}) of sizes ${formatShape([batch])}, ${formatShape([batch, total])} or ${formatShape([batch, queries, total])}, got ${formatShape(shape)}`,
    )
  }
  let seen = ctx.alias(ctx.input(i), dims)
  if (dtype !== 'bool') {
    const cast = ctx.scratch('bool', dims, 'seen')
    ctx.step(steps.Cast({ x: seen }), [cast])
    seen = cast
  }
  const tensor = ctx.scratch('float32', dims, 'mask')
  const hidden = scalar(ctx, floatAttribute(ctx.node, 'mask_filter_value', -10000))
  ctx.step(steps.Where({ condition: seen, a: scalar(ctx, 0), b: hidden }), [tensor], 'float')
  return { bias: { tensor, dims } }
}

/** What is added to scores by the mask and by input i, of rank 4; -1: nothing. */
export function scoreBias(ctx: LowerContext, { bias }: KeyMask, i: number): number {
  const added = floatInput(ctx, i)
  if (!bias || added < 0) return bias?.tensor ?? added
  const other = ctx.inputType(i).shape
  const dims = bias.dims.map((d, axis) => (d === 1 ? (other[axis] as Dim) : d))
  const sum = ctx.scratch('float32', dims, 'bias')
  binaryStep(ctx, 'add', bias.tensor, added, sum)
  return sum
}
