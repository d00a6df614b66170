/** The sizes of a GroupQueryAttention node, and what it may not have. */
import { isFloat } from '../../graph/dtype.js'
import { type Dim, formatDim } from '../../graph/expr.js'
import { intAttribute, stringAttribute } from '../../graph/graph.js'
import { formatShape, type NodeContext, needSizes } from '../core/helpers.js'
import type { InferContext } from '../core/opdef.js'
import { expectShape } from './attention-sizes.js'
import { checkFloat, compatible } from './conv.js'

/**
 * Inputs by position. Those from 16 on are none of onnxruntime's: how much of a past that is written in place is filled; the
 * scales of one of int8, which are outputs 4 and 5 with what is added.
 */
export const INPUT = {
  query: 0,
  key: 1,
  value: 2,
  pastKey: 3,
  pastValue: 4,
  lengths: 5,
  total: 6,
  cos: 7,
  sin: 8,
  positions: 9,
  bias: 10,
  sink: 11,
  keyScale: 12,
  valueScale: 13,
  queryNorm: 14,
  keyNorm: 15,
  pastLength: 16,
  pastKeyScales: 17,
  pastValueScales: 18,
} as const

export interface GroupQuerySizes {
  readonly batch: Dim
  readonly sequence: Dim
  readonly heads: number
  readonly keyHeads: number
  readonly size: number
  /** Positions of the past, as its tensor has them. */
  readonly past: Dim | undefined
  /** q, k and v are one tensor. */
  readonly packed: boolean
  /** The past has room, and is written where it is. */
  readonly inPlace: boolean
  /** The past is int8. */
  readonly int8: boolean
}

export function groupQuerySizes(
  ctx: NodeContext,
  shapeOf: (i: number) => readonly Dim[] | undefined,
): GroupQuerySizes {
  const heads = intAttribute(ctx.node, 'num_heads', 0)
  const keyHeads = intAttribute(ctx.node, 'kv_num_heads', 0)
  if (heads < 1 || keyHeads < 1 || heads % keyHeads !== 0) {
    ctx.fail(`num_heads that is a multiple of kv_num_heads, got ${heads} and ${keyHeads}`)
  }
  const query = shapeOf(INPUT.query) ?? []
  const [batch, sequence, width] = query
  if (query.length !== 3 || batch === undefined || sequence === undefined || width === undefined) {
    return ctx.fail(`query (input 0) of rank 3, got ${formatShape(query)}`)
  }
  if (typeof width !== 'number') return needSizes(ctx, 'a last axis of query (input 0) that is known')
  const packed = shapeOf(INPUT.key) === undefined
  const parts = packed ? heads + 2 * keyHeads : heads
  if (width % parts !== 0) ctx.fail(`a last axis of query that ${parts} heads divide, got ${width}`)
  const size = width / parts
  for (const i of packed ? [] : [INPUT.key, INPUT.value]) {
    expectShape(ctx, i, shapeOf(i), [batch, sequence, keyHeads * size])
  }
  const pastShape = shapeOf(INPUT.pastKey)
  const past = pastShape?.[2]
  if (pastShape) {
    if (pastShape.length !== 4) ctx.fail(`past_key (input 3) of rank 4, got ${formatShape(pastShape)}`)
    for (const i of [INPUT.pastKey, INPUT.pastValue]) {
      expectShape(ctx, i, shapeOf(i), [batch, keyHeads, past as Dim, size])
    }
  }
  const inPlace = shapeOf(INPUT.pastLength) !== undefined
  if (inPlace && past === undefined) ctx.fail('a past to write in place')
  const int8 = shapeOf(INPUT.pastKeyScales) !== undefined
  for (const i of int8 ? [INPUT.pastKeyScales, INPUT.pastValueScales] : []) {
    expectShape(ctx, i, shapeOf(i), [batch, keyHeads, past as Dim])
  }
  return { batch, sequence, heads, keyHeads, size, past, packed, inPlace, int8 }
}

/** Types, which inputs go together, and attributes that have no meaning here. */
export function checkGroupQuery(ctx: InferContext): void {
  checkFloat(ctx, ctx.required(INPUT.query).dtype)
  const together = (a: number, b: number, names: string) => {
    if ((ctx.input(a) === undefined) !== (ctx.input(b) === undefined)) ctx.fail(`${names}, or neither`)
  }
  together(INPUT.key, INPUT.value, 'key and value')
  together(INPUT.pastKey, INPUT.pastValue, 'past_key and past_value')
  together(INPUT.cos, INPUT.sin, 'cos_cache and sin_cache')
  together(INPUT.pastKeyScales, INPUT.pastValueScales, 'scales of keys and of values')
  together(INPUT.queryNorm, INPUT.keyNorm, 'q_norm_weight and k_norm_weight')
  for (const i of [INPUT.pastKey, INPUT.pastValue]) {
    const dtype = ctx.input(i)?.dtype
    const int8 = ctx.input(INPUT.pastKeyScales) !== undefined && ctx.input(INPUT.pastLength) !== undefined
    if (dtype && (int8 ? dtype !== 'int8' : !isFloat(dtype))) {
      ctx.fail(
        `a past (input ${i}) of ${int8 ? 'type int8 beside scales' : 'a floating-point type'}, got ${dtype}`,
      )
    }
  }
  for (const i of [INPUT.lengths, INPUT.total]) {
    const { dtype } = ctx.required(i)
    if (dtype !== 'int32') ctx.fail(`input ${i} ("${ctx.node.inputs[i]}") of type int32, got ${dtype}`)
  }
  if (intAttribute(ctx.node, 'do_rotary', 0) !== 0 && ctx.input(INPUT.cos) === undefined) {
    ctx.fail('cos_cache and sin_cache (inputs 7 and 8) where do_rotary is set')
  }
  const causal = intAttribute(ctx.node, 'causal', 1)
  const window = intAttribute(ctx.node, 'local_window_size', -1)
  if (causal === 0 && window > 0) ctx.fail(`no local_window_size where causal is 0, got ${window}`)
  for (const name of ['qk_output', 'sliding_window_cache', 'kv_cache_bit_width']) {
    const value = intAttribute(ctx.node, name, 0)
    if (value !== 0) ctx.fail(`attribute ${name} of 0 (no other is supported), got ${value}`)
  }
  for (const name of ['k_quant_type', 'v_quant_type']) {
    const value = stringAttribute(ctx.node, name, 'NONE')
    if (value !== 'NONE') ctx.fail(`attribute ${name} NONE (a quantized past is not supported), got ${value}`)
  }
  const bias = ctx.input(INPUT.bias)?.shape
  if (bias && bias.length !== 4) ctx.fail(`attention_bias (input 10) of rank 4, got ${formatShape(bias)}`)
  const sink = ctx.input(INPUT.sink)?.shape
  const heads = intAttribute(ctx.node, 'num_heads', 0)
  if (sink && (sink.length !== 1 || !compatible(sink[0] as Dim, heads))) {
    ctx.fail(`head_sink (input 11) of ${formatDim(heads)} numbers, got ${formatShape(sink)}`)
  }
}
