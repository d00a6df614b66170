/** What is added to the scores of Attention: attn_mask, is_causal and nonpad_kv_seqlen as one tensor, -inf where a key is hidden. */

import { type Dim, sameDim, sub } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { binaryStep } from '../core/float-steps.js'
import { floatInput, scalar } from '../core/float32.js'
import { broadcastShapes } from '../core/helpers.js'
import type { LowerContext } from '../core/opdef.js'
import type { AttentionSizes } from './attention-sizes.js'

const [MASK, NONPAD] = [3, 6]

/** Broadcasts to [batch, heads, queries, keys]. */
export interface Bias {
  readonly tensor: number
  readonly dims: readonly Dim[]
}

/** undefined: every query sees every key. */
export function attentionBias(ctx: LowerContext, sizes: AttentionSizes): Bias | undefined {
  const causal = intAttribute(ctx.node, 'is_causal', 0) !== 0
  const structural = ctx.has(NONPAD)
    ? paddingBias(ctx, sizes, causal)
    : causal
      ? causalBias(ctx, sizes)
      : undefined
  const mask = ctx.has(MASK) ? maskBias(ctx, sizes) : undefined
  if (!mask || !structural) return mask ?? structural
  const dims = broadcastShapes(ctx, [mask.dims, structural.dims])
  const tensor = ctx.scratch('float32', dims, 'bias')
  binaryStep(ctx, 'add', mask.tensor, structural.tensor, tensor)
  return { tensor, dims }
}

/** attn_mask: added as it is, or bool, where true shows a key. Keys beyond it are hidden. */
export function maskBias(ctx: LowerContext, { total }: AttentionSizes): Bias {
  const { dtype, shape } = ctx.inputType(MASK)
  if (shape.length < 1 || shape.length > 4) ctx.fail(`attn_mask of rank 2 to 4, got rank ${shape.length}`)
  const dims = [...new Array<Dim>(4 - shape.length).fill(1), ...shape]
  const source = ctx.alias(dtype === 'bool' ? ctx.input(MASK) : floatInput(ctx, MASK), dims)
  const bias = dtype === 'bool' ? visibility(ctx, source, dims) : { tensor: source, dims }
  const own = dims[3] as Dim
  if (own === 1 || sameDim(own, total)) return bias
  const padded = [...dims.slice(0, 3), total]
  const tensor = ctx.scratch('float32', padded, 'mask')
  const attributes = { pads: ints(0, 0, 0, 0, 0, 0, 0, sub(total, own)), mode: texts('constant') }
  ctx.step(steps.Pad({ x: bias.tensor, value: scalar(ctx, Number.NEGATIVE_INFINITY) }, attributes), [tensor])
  return { tensor, dims: padded }
}

/** Query i sees the keys up to i, counted from the end of the past. */
function causalBias(ctx: LowerContext, { queries, total, past }: AttentionSizes): Bias {
  const dims = [1, 1, queries, total]
  const all = ctx.scratch('bool', dims, 'all')
  const lower = ctx.scratch('bool', dims, 'lower')
  ctx.step(steps.Fill({ value: ctx.constantTensor('bool', [], Uint8Array.of(1)) }), [all])
  ctx.step(steps.Trilu({ x: all }, { upper: ints(0), k: ints(past) }), [lower])
  return visibility(ctx, lower, dims)
}

/**
 * nonpad_kv_seqlen [batch]: only so many keys are real. With is_causal the last query sees all of them, each one before
 * it one key less.
 */
function paddingBias(ctx: LowerContext, { batch, queries, total }: AttentionSizes, causal: boolean): Bias {
  const real = ctx.alias(ctx.input(NONPAD), [batch, 1, 1, 1])
  const keys = counting(ctx, total)
  const dims = [batch, 1, causal ? queries : 1, total]
  const seen = ctx.scratch('bool', dims, 'seen')
  let limit = real
  if (causal) {
    const missing = ctx.scratch('int64', [], 'missing')
    const rows = ctx.scratch('int64', [batch, 1, 1, 1], 'rows')
    limit = ctx.scratch('int64', [batch, 1, queries, 1], 'limit')
    // Key j is seen by query i when j < i + real + 1 - queries.
    ctx.step(steps.Values({}, { values: ints(sub(1, queries)) }), [missing])
    binaryStep(ctx, 'add', real, missing, rows)
    binaryStep(ctx, 'add', ctx.alias(counting(ctx, queries), [queries, 1]), rows, limit)
  }
  ctx.step(steps.Compare({ a: keys, b: limit }, { fn: texts('less') }), [seen])
  return visibility(ctx, seen, dims)
}

/** 0, 1, ... as int64 [count]. */
function counting(ctx: LowerContext, count: Dim): number {
  const int64 = (value: bigint) =>
    ctx.constantTensor('int64', [], new Uint8Array(BigInt64Array.of(value).buffer))
  const tensor = ctx.scratch('int64', [count], 'counting')
  ctx.step(steps.Range({ start: int64(0n), delta: int64(1n) }), [tensor])
  return tensor
}

function visibility(ctx: LowerContext, seen: number, dims: readonly Dim[]): Bias {
  const tensor = ctx.scratch('float32', dims, 'bias')
  ctx.step(
    steps.Where({ condition: seen, a: scalar(ctx, 0), b: scalar(ctx, Number.NEGATIVE_INFINITY) }),
    [tensor],
    'float',
  )
  return { tensor, dims }
}
