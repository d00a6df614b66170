/** The sizes of an Attention node. */
import { add, type Dim, floorDiv } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import { compatible } from './conv.js'

export interface AttentionSizes {
  readonly batch: Dim
  readonly queryHeads: Dim
  readonly keyHeads: Dim
  readonly queries: Dim
  /** Keys of this call, of the past, and both. */
  readonly keys: Dim
  readonly past: Dim
  readonly total: Dim
  readonly headSize: Dim
  readonly valueSize: Dim
  /** Inputs are [batch, sequence, heads * size]. */
  readonly flat: boolean
}

type Shape = readonly Dim[]

/** Sizes from the shapes of q, k, v and past_key. */
export function attentionSizes(
  ctx: NodeContext,
  q: Shape,
  k: Shape,
  v: Shape,
  past: Shape | undefined,
): AttentionSizes {
  if (![3, 4].includes(q.length) || k.length !== q.length || v.length !== q.length) {
    ctx.fail(`q, k and v all of rank 3 or 4, got ${[q, k, v].map(formatShape).join(', ')}`)
  }
  const flat = q.length === 3
  const at = (shape: Shape, axis: number) => shape[axis] as Dim
  const attribute = (name: string) => intAttribute(ctx.node, name, 0)
  const [qh, kh] = [attribute('q_num_heads'), attribute('kv_num_heads')]
  if (flat && (qh < 1 || kh < 1)) ctx.fail('attributes q_num_heads and kv_num_heads for inputs of rank 3')
  const queryHeads = flat ? qh : at(q, 1)
  const keyHeads = flat ? kh : at(k, 1)
  if (typeof queryHeads === 'number' && typeof keyHeads === 'number' && queryHeads % keyHeads !== 0) {
    ctx.fail(`query heads to be a multiple of key heads, got ${queryHeads} and ${keyHeads}`)
  }
  const sequence = flat ? 1 : 2
  const size = (shape: Shape, heads: Dim) => (flat ? floorDiv(at(shape, 2), heads) : at(shape, 3))
  const keys = at(k, sequence)
  const pastKeys = past ? at(past, 2) : 0
  const sizes = {
    batch: at(q, 0),
    queryHeads,
    keyHeads,
    queries: at(q, sequence),
    keys,
    past: pastKeys,
    total: add(pastKeys, keys),
    headSize: size(q, queryHeads),
    valueSize: size(v, keyHeads),
    flat,
  }
  if (!compatible(size(k, keyHeads), sizes.headSize) || !compatible(keys, at(v, sequence))) {
    ctx.fail(`k and v that fit q, got ${[q, k, v].map(formatShape).join(', ')}`)
  }
  return sizes
}

/** The attribute num_heads. */
export function headsOf(ctx: NodeContext): number {
  const heads = intAttribute(ctx.node, 'num_heads', 0)
  return heads >= 1 ? heads : ctx.fail(`attribute num_heads of 1 or more, got ${heads}`)
}

/** Refuses an input (or one that is absent) of other sizes. */
export function expectShape(
  ctx: NodeContext,
  i: number,
  shape: readonly Dim[] | undefined,
  expected: readonly Dim[],
): void {
  const fits =
    shape?.length === expected.length && expected.every((d, axis) => compatible(d, shape[axis] as Dim))
  if (fits) return
  ctx.fail(
    `input ${i} ("${ctx.node.inputs[i]}") of sizes ${formatShape(expected)}, got ${shape ? formatShape(shape) : 'none'}`,
  )
}
