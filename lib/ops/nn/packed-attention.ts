/** Attention of onnxruntime: one product makes q, k and v; masks, a past of keys and values in one tensor. */
import { isFloat } from '../../graph/dtype.js'
import { add, type Dim } from '../../graph/expr.js'
import { floatAttribute, intAttribute, intsAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { headsOf } from './attention-sizes.js'
import { attentionStep, stackedPresents } from './attention-steps.js'
import { checkFloat, compatible } from './conv.js'
import { keyMask, scoreBias } from './key-mask.js'

/** Inputs by position. */
const INPUT = { x: 0, weights: 1, bias: 2, mask: 3, past: 4, attentionBias: 5, pastSequence: 6 } as const

interface Sizes {
  readonly batch: Dim
  readonly sequence: Dim
  readonly heads: number
  readonly size: number
  readonly valueSize: number
  /** Positions of the past; undefined: none. */
  readonly past: Dim | undefined
  readonly total: Dim
  /** Of q, k and v. */
  readonly widths: readonly [number, number, number]
}

function sizesOf(ctx: NodeContext, shapeOf: (i: number) => readonly Dim[] | undefined): Sizes {
  const heads = headsOf(ctx)
  const [x, weights] = [shapeOf(INPUT.x) ?? [], shapeOf(INPUT.weights) ?? []]
  const [batch, sequence, hidden] = x
  const columns = weights[1]
  const fits = weights.length === 2 && hidden !== undefined && compatible(weights[0] as Dim, hidden)
  if (
    x.length !== 3 ||
    batch === undefined ||
    sequence === undefined ||
    !fits ||
    typeof columns !== 'number'
  ) {
    return ctx.fail(
      `x (input 0) [batch, sequence, hidden] and weights (input 1) [hidden, columns], got ${formatShape(x)} and ${formatShape(weights)}`,
    )
  }
  const stated = intsAttribute(ctx.node, 'qkv_hidden_sizes') ?? []
  const widths = stated.length > 0 ? stated : [columns / 3, columns / 3, columns / 3]
  const [q, k, v] = widths as [number, number, number]
  if (widths.length !== 3 || q !== k || q + k + v !== columns || q % heads !== 0 || v % heads !== 0) {
    ctx.fail(`${columns} columns that are q, k and v of ${heads} heads, got sizes ${widths.join(', ')}`)
  }
  const pastShape = shapeOf(INPUT.past)
  const [size, valueSize] = [q / heads, v / heads]
  if (pastShape) {
    const expected = [2, batch, heads, pastShape[3] as Dim, size]
    if (
      size !== valueSize ||
      pastShape.length !== 5 ||
      !expected.every((d, axis) => compatible(d, pastShape[axis] as Dim))
    ) {
      ctx.fail(`a past (input 4) of sizes ${formatShape(expected)}, got ${formatShape(pastShape)}`)
    }
  }
  const past = pastShape?.[3]
  return { batch, sequence, heads, size, valueSize, past, total: add(past ?? 0, sequence), widths: [q, k, v] }
}

function infer(ctx: InferContext): readonly Inferred[] {
  const { dtype } = ctx.required(INPUT.x)
  checkFloat(ctx, dtype)
  const { batch, sequence, heads, size, total, widths } = sizesOf(ctx, (i) => ctx.input(i)?.shape)
  const bias = ctx.input(INPUT.bias)?.shape
  const columns = widths[0] + widths[1] + widths[2]
  if (bias && (bias.length !== 1 || !compatible(bias[0] as Dim, columns))) {
    ctx.fail(`a bias (input 2) of sizes [${columns}], got ${formatShape(bias)}`)
  }
  const mask = ctx.input(INPUT.mask)
  if (mask && isFloat(mask.dtype)) ctx.fail(`mask_index (input 3) of type int32, got ${mask.dtype}`)
  const added = ctx.input(INPUT.attentionBias)?.shape
  if (added && added.length !== 4) ctx.fail(`attention_bias (input 5) of rank 4, got ${formatShape(added)}`)
  if (ctx.input(INPUT.pastSequence))
    ctx.fail('no past_sequence_length (input 6): a shared past is not supported')
  for (const name of ['do_rotary', 'past_present_share_buffer']) {
    const value = intAttribute(ctx.node, name, 0)
    if (value !== 0) ctx.fail(`attribute ${name} of 0 (no other is supported), got ${value}`)
  }
  return [
    { dtype, shape: [batch, sequence, widths[2]] },
    { dtype, shape: [2, batch, heads, total, size] },
  ]
}

function lower(ctx: LowerContext): void {
  const sizes = sizesOf(ctx, (i) => (ctx.has(i) ? ctx.inputType(i).shape : undefined))
  const { batch, sequence, heads, size, total, widths } = sizes
  const columns = widths[0] + widths[1] + widths[2]
  const product = ctx.scratch('float32', [batch, sequence, columns], 'qkv')
  const operands = {
    a: floatInput(ctx, INPUT.x),
    b: floatInput(ctx, INPUT.weights),
    bias: floatInput(ctx, INPUT.bias),
  }
  ctx.step(steps.MatMul(operands, { trans_a: ints(0), trans_b: ints(0) }), [product])
  const parts = widths.map((width) => ctx.scratch('float32', [batch, sequence, width], 'part'))
  ctx.step(steps.Split({ x: product }, { axis: ints(2) }), parts)
  const [q, k, v] = parts as [number, number, number]
  const [keys, values] = stackedPresents(ctx, { ...sizes, past: sizes.past ?? 0, input: INPUT.past }, k, v)
  const mask = keyMask(ctx, INPUT.mask, { batch, queries: sequence, total })
  const form = {
    heads,
    keyHeads: heads,
    scale: floatAttribute(ctx.node, 'scale', 0) || 1 / Math.sqrt(size),
    causal: intAttribute(ctx.node, 'unidirectional', 0) !== 0,
    bias: scoreBias(ctx, mask, INPUT.attentionBias),
    lengths: mask.lengths,
  }
  floatOutput(ctx, 0, undefined, (y) => attentionStep(ctx, q, keys, values, form, y))
}

export const ops: readonly OpDef[] = [
  { opType: 'Attention', domain: 'com.microsoft', inputs: [2, 7], outputs: [1, 2], infer, lower },
]
