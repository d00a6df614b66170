/** What the step Attention is told of the keys that queries of Attention see: a bias, their first positions, numbers of keys. */
import { sub } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { binaryStep } from '../core/float-steps.js'
import type { LowerContext } from '../core/opdef.js'
import { maskBias } from './attention-bias.js'
import type { AttentionSizes } from './attention-sizes.js'
import type { AttentionForm } from './attention-steps.js'

const [MASK, NONPAD] = [3, 6]

export function attentionVisibility(
  ctx: LowerContext,
  sizes: AttentionSizes,
): Pick<AttentionForm, 'bias' | 'causal' | 'starts' | 'lengths'> {
  const causal = intAttribute(ctx.node, 'is_causal', 0) !== 0
  const lengths = ctx.has(NONPAD) ? ctx.alias(ctx.input(NONPAD), [sizes.batch]) : -1
  const starts = causal ? firstPositions(ctx, sizes, lengths) : -1
  return { bias: ctx.has(MASK) ? wholeMask(ctx, sizes) : -1, causal, starts, lengths }
}

/** Queries follow the past; with nonpad_kv_seqlen the last one is the last real key. */
function firstPositions(
  ctx: LowerContext,
  { batch, past, queries }: AttentionSizes,
  lengths: number,
): number {
  const number = ctx.scratch('int64', [1], 'starts')
  ctx.step(steps.Values({}, { values: ints(lengths < 0 ? past : sub(0, queries)) }), [number])
  if (lengths < 0) return number
  const starts = ctx.scratch('int64', [batch], 'starts')
  binaryStep(ctx, 'add', lengths, number, starts)
  return starts
}

/** The mask with a number for every key. */
function wholeMask(ctx: LowerContext, sizes: AttentionSizes): number {
  const { tensor, dims } = maskBias(ctx, sizes)
  if (dims[3] !== 1 || sizes.total === 1) return tensor
  const expanded = ctx.scratch('float32', [...dims.slice(0, 3), sizes.total], 'mask')
  ctx.step(steps.Expand({ x: tensor }), [expanded])
  return expanded
}
