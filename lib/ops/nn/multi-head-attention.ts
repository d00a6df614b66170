/** MultiHeadAttention of onnxruntime: every head has keys of its own; masks, biases, a past, keys of an encoder. */
import { isFloat } from '../../graph/dtype.js'
import { add, type Dim } from '../../graph/expr.js'
import { floatAttribute, intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { binaryStep } from '../core/float-steps.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, type NodeContext, needSizes } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { expectShape, headsOf } from './attention-sizes.js'
import { attentionStep, presentOf } from './attention-steps.js'
import { checkFloat, compatible } from './conv.js'
import { keyMask, scoreBias } from './key-mask.js'

/** Inputs by position. The last is none of onnxruntime's: how much of a past that is written in place is filled. */
const INPUT = {
  query: 0,
  key: 1,
  value: 2,
  bias: 3,
  mask: 4,
  attentionBias: 5,
  pastKey: 6,
  pastValue: 7,
  pastSequence: 8,
  indirection: 9,
  pastLength: 16,
} as const

type Packing = 'none' | 'key' | 'all'

interface Sizes {
  readonly batch: Dim
  readonly queries: Dim
  readonly heads: number
  readonly size: number
  readonly valueSize: number
  readonly keys: Dim
  readonly total: Dim
  /** What one tensor holds of q, k and v: [batch, sequence, heads, 2 or 3, size]. */
  readonly packing: Packing
}

function sizesOf(ctx: NodeContext, shapeOf: (i: number) => readonly Dim[] | undefined): Sizes {
  const heads = headsOf(ctx)
  const [query, key, value] = [shapeOf(INPUT.query) ?? [], shapeOf(INPUT.key), shapeOf(INPUT.value)]
  const packing: Packing = key === undefined ? 'all' : key.length === 5 ? 'key' : 'none'
  if (query.length !== (packing === 'all' ? 5 : 3)) {
    ctx.fail(
      `query (input 0) of rank 3, or without a key [batch, sequence, heads, 3, size], got ${formatShape(query)}`,
    )
  }
  const [batch, queries] = [query[0] as Dim, query[1] as Dim]
  const size = packing === 'all' ? known(ctx, query[4]) : known(ctx, query[2]) / heads
  if (!Number.isInteger(size))
    ctx.fail(`a last axis of query that ${heads} heads divide, got ${formatShape(query)}`)
  if (packing === 'all') expectShape(ctx, INPUT.query, query, [batch, queries, heads, 3, size])
  const byHead = key?.length === 4
  const keys = packing === 'all' ? queries : ((byHead ? key?.[2] : key?.[1]) as Dim)
  let valueSize = size
  if (packing === 'key') expectShape(ctx, INPUT.key, key, [batch, keys, heads, 2, size])
  if (packing === 'none') {
    if (value === undefined) return ctx.fail('a value (input 2) beside a key that is not packed')
    expectShape(ctx, INPUT.key, key, byHead ? [batch, heads, keys, size] : [batch, keys, heads * size])
    valueSize = byHead ? known(ctx, value[3]) : known(ctx, value[2]) / heads
    expectShape(
      ctx,
      INPUT.value,
      value,
      byHead ? [batch, heads, keys, valueSize] : [batch, keys, heads * valueSize],
    )
  } else if (value !== undefined) ctx.fail('no value (input 2) beside packed keys')
  const past = shapeOf(INPUT.pastKey)?.[2]
  if (past !== undefined) {
    expectShape(ctx, INPUT.pastKey, shapeOf(INPUT.pastKey), [batch, heads, past, size])
    expectShape(ctx, INPUT.pastValue, shapeOf(INPUT.pastValue), [batch, heads, past, valueSize])
  }
  const inPlace = shapeOf(INPUT.pastLength) !== undefined
  const total = inPlace ? (past as Dim) : add(past ?? 0, keys)
  return { batch, queries, heads, size, valueSize, keys, total, packing }
}

function known(ctx: NodeContext, size: Dim | undefined): number {
  return typeof size === 'number' ? size : needSizes(ctx, 'a last axis of q, k and v that is known')
}

function infer(ctx: InferContext): readonly Inferred[] {
  const { dtype } = ctx.required(INPUT.query)
  checkFloat(ctx, dtype)
  for (const i of [INPUT.pastSequence, INPUT.indirection]) {
    if (ctx.input(i))
      ctx.fail(`no input ${i} ("${ctx.node.inputs[i]}"): a past that beams share is not supported`)
  }
  if ((ctx.input(INPUT.pastKey) === undefined) !== (ctx.input(INPUT.pastValue) === undefined)) {
    ctx.fail('past_key and past_value, or neither')
  }
  const { batch, queries, heads, size, valueSize, total, packing } = sizesOf(ctx, (i) => ctx.input(i)?.shape)
  const bias = ctx.input(INPUT.bias)
  const width = heads * (2 * size + valueSize)
  if (bias && (packing === 'key' || bias.shape?.length !== 1 || !compatible(bias.shape[0] as Dim, width))) {
    ctx.fail(
      `a bias (input 3) of sizes [${width}], and none beside packed keys, got ${formatShape(bias.shape ?? [])}`,
    )
  }
  const mask = ctx.input(INPUT.mask)
  if (mask && isFloat(mask.dtype)) ctx.fail(`key_padding_mask (input 4) of type int32, got ${mask.dtype}`)
  const added = ctx.input(INPUT.attentionBias)?.shape
  if (added && added.length !== 4) ctx.fail(`attention_bias (input 5) of rank 4, got ${formatShape(added)}`)
  const keep = (i: number) => ctx.input(i)?.dtype ?? dtype
  return [
    { dtype, shape: [batch, queries, heads * valueSize] },
    { dtype: keep(INPUT.pastKey), shape: [batch, heads, total, size] },
    { dtype: keep(INPUT.pastValue), shape: [batch, heads, total, valueSize] },
  ]
}

function lower(ctx: LowerContext): void {
  const sizes = sizesOf(ctx, (i) => (ctx.has(i) ? ctx.inputType(i).shape : undefined))
  const { batch, queries, heads, size, valueSize, total } = sizes
  const [q, k, v] = biased(ctx, sizes, separate(ctx, sizes))
  const starts = ctx.has(INPUT.pastLength) ? ctx.input(INPUT.pastLength) : -1
  const present = (o: number, i: number, x: number, width: number) =>
    presentOf(ctx, o, i, x, heads, () => [batch, heads, total, width], starts)
  const keys = present(1, INPUT.pastKey, k, size)
  const values = present(2, INPUT.pastValue, v, valueSize)
  const mask = keyMask(ctx, INPUT.mask, { batch, queries, total })
  const causal = intAttribute(ctx.node, 'unidirectional', 0) !== 0
  const form = {
    heads,
    keyHeads: heads,
    scale: floatAttribute(ctx.node, 'scale', 0) || 1 / Math.sqrt(size),
    causal,
    bias: scoreBias(ctx, mask, INPUT.attentionBias),
    lengths: starts < 0 ? mask.lengths : lengthInPlace(ctx, starts, sizes),
    starts,
  }
  floatOutput(ctx, 0, undefined, (y) => attentionStep(ctx, q, keys, values, form, y))
}

/** Keys of a past that is written in place, and of this call. */
function lengthInPlace(ctx: LowerContext, starts: number, { keys }: Sizes): number {
  const [own, lengths] = [ctx.scratch('int64', [1], 'keys'), ctx.scratch('int64', [1], 'lengths')]
  ctx.step(steps.Values({}, { values: ints(keys) }), [own])
  binaryStep(ctx, 'add', ctx.alias(starts, [1]), own, lengths)
  return lengths
}

/** q, k and v as [batch, sequence, heads * size] or [batch, heads, sequence, size]. */
function separate(ctx: LowerContext, sizes: Sizes): readonly [number, number, number] {
  const { batch, queries, keys, heads, size, packing } = sizes
  const parts = (i: number, sequence: Dim, count: number) => {
    const pieces = Array.from({ length: count }, () =>
      ctx.scratch('float32', [batch, sequence, heads, 1, size], 'part'),
    )
    ctx.step(steps.Split({ x: floatInput(ctx, i) }, { axis: ints(3) }), pieces)
    return pieces.map((piece) => ctx.alias(piece, [batch, sequence, heads * size]))
  }
  if (packing === 'all') return parts(INPUT.query, queries, 3) as unknown as [number, number, number]
  const q = floatInput(ctx, INPUT.query)
  if (packing === 'key') return [q, ...parts(INPUT.key, keys, 2)] as unknown as [number, number, number]
  return [q, floatInput(ctx, INPUT.key), floatInput(ctx, INPUT.value)]
}

function biased(
  ctx: LowerContext,
  { batch, queries, keys, heads, size, valueSize }: Sizes,
  tensors: readonly [number, number, number],
): readonly [number, number, number] {
  if (!ctx.has(INPUT.bias)) return tensors
  const widths = [heads * size, heads * size, heads * valueSize]
  const pieces = widths.map((width) => ctx.scratch('float32', [width], 'bias'))
  ctx.step(steps.Split({ x: floatInput(ctx, INPUT.bias) }, { axis: ints(0) }), pieces)
  return tensors.map((tensor, i) => {
    const sum = ctx.scratch('float32', [batch, i === 0 ? queries : keys, widths[i] as number], 'biased')
    binaryStep(ctx, 'add', tensor, pieces[i] as number, sum)
    return sum
  }) as unknown as [number, number, number]
}

export const ops: readonly OpDef[] = [
  {
    opType: 'MultiHeadAttention',
    domain: 'com.microsoft',
    inputs: [1, 17],
    outputs: [1, 4],
    infer,
    lower,
  },
]
