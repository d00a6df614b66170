/** QAttention of onnxruntime: one integer product makes q, k and v; attention is float. */
import { isQuantized8 } from '../../graph/dtype.js'
import { add, type Dim } from '../../graph/expr.js'
import { floatAttribute, intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { headsOf } from '../nn/attention-sizes.js'
import { attentionStep, stackedPresents } from '../nn/attention-steps.js'
import { compatible } from '../nn/conv.js'
import { keyMask } from '../nn/key-mask.js'
import { checkScale, checkZeroPoint, perChannel, perTensor } from './quantization-parameters.js'

/** Inputs by position. */
const INPUT = {
  x: 0,
  weight: 1,
  bias: 2,
  scale: 3,
  weightScale: 4,
  mask: 5,
  zeroPoint: 6,
  weightZeroPoint: 7,
  past: 8,
} as const

interface Sizes {
  readonly batch: Dim
  readonly queries: Dim
  readonly heads: number
  readonly size: number
  readonly past: Dim
  readonly total: Dim
}

function sizesOf(ctx: NodeContext, shapeOf: (i: number) => readonly Dim[] | undefined): Sizes {
  const heads = headsOf(ctx)
  for (const name of ['do_rotary', 'past_present_share_buffer'])
    if (intAttribute(ctx.node, name, 0) !== 0) ctx.fail(`attribute ${name} of 0, the only one supported`)
  const [x = [], w = []] = [shapeOf(INPUT.x), shapeOf(INPUT.weight)]
  const width = w[1]
  const fits = x.length === 3 && w.length === 2 && compatible(x[2] as Dim, w[0] as Dim)
  if (!fits)
    ctx.fail(
      `an input [batch, sequence, k] and weights [k, 3 * hidden], got ${formatShape(x)} and ${formatShape(w)}`,
    )
  const size = typeof width === 'number' ? width / 3 / heads : Number.NaN
  if (!Number.isInteger(size))
    return ctx.fail(`weights (input 1) of 3 * ${heads} * size columns, got ${formatShape(w)}`)
  const [batch, queries] = x as [Dim, Dim]
  const past = shapeOf(INPUT.past)
  const known = past?.[3] ?? 0
  const expected = [2, batch, heads, known, size]
  if (past && (past.length !== 5 || !expected.every((d, i) => compatible(d, past[i] as Dim))))
    ctx.fail(`a past (input 8) of sizes [2, batch, ${heads}, past, ${size}], got ${formatShape(past)}`)
  return { batch, queries, heads, size, past: known, total: add(known, queries) }
}

function infer(ctx: InferContext): readonly Inferred[] {
  const { batch, queries, heads, size, total } = sizesOf(ctx, (i) => ctx.input(i)?.shape)
  const columns = 3 * heads * size
  const [x, w, bias] = [ctx.required(INPUT.x), ctx.required(INPUT.weight), ctx.required(INPUT.bias)]
  for (const [i, { dtype }] of [x, w].entries())
    if (!isQuantized8(dtype)) ctx.fail(`input ${i} of type int8 or uint8, got ${dtype}`)
  if (bias.dtype !== 'float32' || bias.shape.length !== 1 || !compatible(bias.shape[0] as Dim, columns))
    ctx.fail(`a bias (input 2) float32 [${columns}], got ${bias.dtype} ${formatShape(bias.shape)}`)
  checkScale(ctx, INPUT.scale)
  checkScale(ctx, INPUT.weightScale, columns)
  checkZeroPoint(ctx, INPUT.zeroPoint, x.dtype)
  checkZeroPoint(ctx, INPUT.weightZeroPoint, w.dtype, columns)
  return [
    { dtype: 'float32', shape: [batch, queries, heads * size] },
    { dtype: 'float32', shape: [2, batch, heads, total, size] },
  ]
}

function lower(ctx: LowerContext): void {
  const sizes = sizesOf(ctx, (i) => (ctx.has(i) ? ctx.inputType(i).shape : undefined))
  const { batch, queries, heads, size, total } = sizes
  const [q, k, v] = separate(ctx, sizes)
  const [key, value] = stackedPresents(ctx, { ...sizes, input: INPUT.past }, k, v)
  const mask = keyMask(ctx, INPUT.mask, { batch, queries, total })
  const form = {
    heads,
    keyHeads: heads,
    scale: floatAttribute(ctx.node, 'scale', 0) || 1 / Math.sqrt(size),
    causal: intAttribute(ctx.node, 'unidirectional', 0) !== 0,
    bias: mask.bias?.tensor,
    lengths: mask.lengths,
  }
  const y = ctx.output(0)
  attentionStep(ctx, q, key, value, form, y >= 0 ? y : ctx.scratch('float32', [batch, queries, heads * size]))
}

function separate(ctx: LowerContext, { batch, queries, heads, size }: Sizes): [number, number, number] {
  const columns = 3 * heads * size
  const all = ctx.scratch('float32', [batch, queries, columns], 'qkv')
  const x = {
    tensor: ctx.input(INPUT.x),
    scale: perTensor(ctx, INPUT.scale),
    zeroPoint: perTensor(ctx, INPUT.zeroPoint),
  }
  const weights = {
    tensor: ctx.input(INPUT.weight),
    scale: perChannel(ctx, INPUT.weightScale, columns),
    zeroPoint: perChannel(ctx, INPUT.weightZeroPoint, columns),
  }
  ctx.step(steps.QMatMul({ a: x, b: weights, bias: ctx.input(INPUT.bias) }), [all])
  const part = () => ctx.scratch('float32', [batch, queries, heads * size], 'part')
  const parts: [number, number, number] = [part(), part(), part()]
  ctx.step(steps.Split({ x: all }, { axis: ints(2) }), parts)
  return parts
}

export const ops: readonly OpDef[] = [
  { opType: 'QAttention', domain: 'com.microsoft', inputs: [5, 9], outputs: [1, 2], infer, lower },
]
