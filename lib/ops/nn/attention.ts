/** Attention of the standard (opsets 23 and 24): one step; made of products, masks and Softmax where its scores are an output. */

import { type Dim, floorDiv, mul, product } from '../../graph/expr.js'
import { floatAttribute, intAttribute } from '../../graph/graph.js'
import { floats, ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { reduceStep, unaryStep } from '../core/float-steps.js'
import { floatInput, floatOutput, scalar, storeFloat } from '../core/float32.js'
import type { NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { attentionBias, type Bias } from './attention-bias.js'
import { type AttentionSizes, attentionSizes } from './attention-sizes.js'
import { attentionStep, presentOf } from './attention-steps.js'
import { attentionVisibility } from './attention-visibility.js'
import { checkFloat } from './conv.js'

/** Inputs q, k, v, mask?, past_key?, past_value?, nonpad_kv_seqlen? */
const [Q, K, V, PAST_KEY, PAST_VALUE] = [0, 1, 2, 4, 5]

/** What qk_matmul_output holds: the scaled product, after softcap, after the mask, after Softmax. */
const MODES = { product: 0, softcap: 1, mask: 2, softmax: 3 }

function infer(ctx: InferContext): readonly Inferred[] {
  const [q, k, v] = [ctx.required(Q), ctx.required(K), ctx.required(V)]
  checkFloat(ctx, q.dtype)
  const hasPast = ctx.input(PAST_KEY) !== undefined
  if (hasPast !== (ctx.input(PAST_VALUE) !== undefined)) ctx.fail('past_key and past_value, or neither')
  const mode = intAttribute(ctx.node, 'qk_matmul_output_mode', MODES.product)
  if (!Object.values(MODES).includes(mode)) ctx.fail(`qk_matmul_output_mode from 0 to 3, got ${mode}`)
  const sizes = attentionSizes(
    ctx,
    q.shape,
    k.shape,
    v.shape,
    hasPast ? ctx.required(PAST_KEY).shape : undefined,
  )
  const { batch, queryHeads, keyHeads, queries, total, headSize, valueSize, flat } = sizes
  return [
    {
      dtype: q.dtype,
      shape: flat ? [batch, queries, mul(queryHeads, valueSize)] : [batch, queryHeads, queries, valueSize],
    },
    { dtype: k.dtype, shape: [batch, keyHeads, total, headSize] },
    { dtype: v.dtype, shape: [batch, keyHeads, total, valueSize] },
    { dtype: q.dtype, shape: [batch, queryHeads, queries, total] },
  ]
}

/** Whether the file may see what is between the products. */
const SCORES = 3

function lower(ctx: LowerContext): void {
  const past = ctx.has(PAST_KEY) ? ctx.inputType(PAST_KEY).shape : undefined
  const shapes = [Q, K, V].map((i) => ctx.inputType(i).shape) as [Dim[], Dim[], Dim[]]
  const sizes = attentionSizes(ctx, ...shapes, past)
  const { queryHeads, keyHeads } = sizes
  const isStep = typeof queryHeads === 'number' && typeof keyHeads === 'number' && !ctx.hasOutput(SCORES)
  if (!isStep) {
    lowerParts(ctx)
    return
  }
  const present = (o: number, i: number, x: number, size: Dim) => {
    const dims = () => [sizes.batch, keyHeads, sizes.total, size]
    return presentOf(ctx, o, i, floatInput(ctx, x), keyHeads, dims)
  }
  const keys = present(1, PAST_KEY, K, sizes.headSize)
  const values = present(2, PAST_VALUE, V, sizes.valueSize)
  const form = {
    heads: queryHeads,
    keyHeads,
    scale: floatAttribute(ctx.node, 'scale', 0) || 1 / Math.sqrt(constantSize(ctx, sizes.headSize)),
    softcap: floatAttribute(ctx.node, 'softcap', 0),
    ...attentionVisibility(ctx, sizes),
  }
  floatOutput(ctx, 0, undefined, (y) => attentionStep(ctx, floatInput(ctx, Q), keys, values, form, y))
}

function lowerParts(ctx: LowerContext): void {
  const shapeOf = (i: number) => ctx.inputType(i).shape
  const past = ctx.has(PAST_KEY) ? shapeOf(PAST_KEY) : undefined
  const sizes = attentionSizes(ctx, shapeOf(Q), shapeOf(K), shapeOf(V), past)
  const { batch, queryHeads, keyHeads, queries, total, headSize, valueSize, keys } = sizes
  const q = splitHeads(ctx, Q, sizes, queryHeads, queries, headSize)
  const k = withPast(ctx, PAST_KEY, splitHeads(ctx, K, sizes, keyHeads, keys, headSize), [
    ...[batch, keyHeads, total, headSize],
  ])
  const v = withPast(ctx, PAST_VALUE, splitHeads(ctx, V, sizes, keyHeads, keys, valueSize), [
    ...[batch, keyHeads, total, valueSize],
  ])
  storeFloat(ctx, 1, k)
  storeFloat(ctx, 2, v)
  // Query heads that share a key head follow each other, so they are more rows of one product.
  const rows = mul(floorDiv(queryHeads, keyHeads), queries)
  const grouped = (tensor: number, last: Dim) => ctx.alias(tensor, [batch, keyHeads, rows, last])
  const scores = ctx.scratch('float32', [batch, keyHeads, rows, total], 'scores')
  const scale = floatAttribute(ctx.node, 'scale', 0) || 1 / Math.sqrt(constantSize(ctx, headSize))
  const attributes = { trans_a: ints(0), trans_b: ints(1), alpha: floats(scale) }
  ctx.step(steps.MatMul({ a: grouped(q, headSize), b: k }, attributes), [scores])
  const weights = probabilities(ctx, ctx.alias(scores, [batch, queryHeads, queries, total]), sizes)
  const y = ctx.scratch('float32', [batch, keyHeads, rows, valueSize], 'y')
  ctx.step(steps.MatMul({ a: grouped(weights, total), b: v }, { trans_a: ints(0), trans_b: ints(0) }), [y])
  const heads = [batch, queryHeads, queries, valueSize]
  storeFloat(ctx, 0, sizes.flat ? joinHeads(ctx, ctx.alias(y, heads), heads) : ctx.alias(y, heads))
}

/** Softcap, mask and Softmax over `scores` [batch, heads, queries, keys]. */
function probabilities(ctx: LowerContext, scores: number, sizes: AttentionSizes): number {
  const dims = [sizes.batch, sizes.queryHeads, sizes.queries, sizes.total]
  const mode = intAttribute(ctx.node, 'qk_matmul_output_mode', MODES.product)
  const stage = (wanted: number, tensor: number): number => {
    if (mode === wanted) storeFloat(ctx, 3, tensor)
    return tensor
  }
  const next = (hint: string) => ctx.scratch('float32', dims, hint)
  let current = stage(MODES.product, scores)
  const softcap = floatAttribute(ctx.node, 'softcap', 0)
  if (softcap > 0) {
    const capped = next('softcap')
    unaryStep(ctx, ['affine', 'tanh', 'affine'], current, capped, [1 / softcap, 0, softcap, 0])
    current = capped
  }
  stage(MODES.softcap, current)
  const bias = attentionBias(ctx, sizes)
  if (bias) {
    const masked = next('masked')
    ctx.step(steps.Binary({ a: current, b: bias.tensor }, { fn: texts('add') }), [masked])
    current = masked
  }
  stage(MODES.mask, current)
  const softmax = next('softmax')
  ctx.step(steps.Softmax({ x: current }, { axis: ints(3), log: ints(0) }), [softmax])
  return stage(MODES.softmax, bias ? withoutMaskedRows(ctx, bias, softmax, next('weights')) : softmax)
}

/** A query that may see no key gets zeros, where Softmax has no value. */
function withoutMaskedRows(ctx: LowerContext, bias: Bias, softmax: number, y: number): number {
  const rowDims = [...bias.dims.slice(0, 3), 1]
  const best = ctx.scratch('float32', rowDims, 'best')
  const empty = ctx.scratch('bool', rowDims, 'empty')
  reduceStep(ctx, 'max', bias.tensor, best, [3])
  ctx.step(steps.Compare({ a: best, b: scalar(ctx, Number.NEGATIVE_INFINITY) }, { fn: texts('equal') }), [
    empty,
  ])
  ctx.step(steps.Where({ condition: empty, a: scalar(ctx, 0), b: softmax }), [y], 'float')
  return y
}

/** Input i as [batch, heads, sequence, size]. */
function splitHeads(
  ctx: LowerContext,
  i: number,
  { batch, flat }: AttentionSizes,
  heads: Dim,
  sequence: Dim,
  size: Dim,
): number {
  const tensor = floatInput(ctx, i)
  if (!flat) return tensor
  const split = ctx.alias(tensor, [batch, sequence, heads, size])
  const result = ctx.scratch('float32', [batch, heads, sequence, size], 'heads')
  ctx.step(steps.Transpose({ x: split }, { perm: ints(0, 2, 1, 3) }), [result])
  return result
}

function joinHeads(ctx: LowerContext, tensor: number, [batch, heads, sequence, size]: Dim[]): number {
  const dims = [batch, sequence, heads, size] as Dim[]
  const result = ctx.scratch('float32', dims, 'joined')
  ctx.step(steps.Transpose({ x: tensor }, { perm: ints(0, 2, 1, 3) }), [result])
  return ctx.alias(result, [batch as Dim, sequence as Dim, product([heads as Dim, size as Dim])])
}

/** The present: past (input i), then this call. */
function withPast(ctx: LowerContext, i: number, tensor: number, dims: readonly Dim[]): number {
  if (!ctx.has(i)) return tensor
  const joined = ctx.scratch('float32', dims, 'present')
  ctx.step(steps.Concat({ x: [floatInput(ctx, i), tensor] }, { axis: ints(2) }), [joined])
  return joined
}

function constantSize(ctx: NodeContext, size: Dim): number {
  return typeof size === 'number' ? size : ctx.fail('a head size that is constant, or attribute scale')
}

export const ops: readonly OpDef[] = [
  { opType: 'Attention', domain: '', inputs: [3, 7], outputs: [1, 4], infer, lower },
]
