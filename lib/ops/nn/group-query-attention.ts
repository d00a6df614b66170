/** GroupQueryAttention of onnxruntime: heads that share keys, a past, rotary embedding. */
import { type Dim, max, mul, sub } from '../../graph/expr.js'
import { floatAttribute, intAttribute } from '../../graph/graph.js'
import { floats, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { binaryStep } from '../core/float-steps.js'
import { floatInput, floatOutput } from '../core/float32.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { type Angles, attentionStep, type Heads, presentOf, type Rows, rotate } from './attention-steps.js'
import { checkGroupQuery, type GroupQuerySizes, groupQuerySizes, INPUT } from './group-query-sizes.js'
import { appendInt8 } from './int8-past.js'

function infer(ctx: InferContext): readonly Inferred[] {
  checkGroupQuery(ctx)
  const sizes = groupQuerySizes(ctx, (i) => ctx.input(i)?.shape)
  const { batch, sequence, heads, keyHeads, size } = sizes
  const { dtype } = ctx.required(INPUT.query)
  const length = presentLength(ctx, sizes)
  const present = { dtype: ctx.input(INPUT.pastKey)?.dtype ?? dtype, shape: [batch, keyHeads, length, size] }
  const scores = { dtype, shape: [batch, heads, sequence, length] }
  const scales = { dtype: 'float32', shape: [batch, keyHeads, length] } as const
  return [{ dtype, shape: [batch, sequence, mul(heads, size)] }, present, present, scores, scales, scales]
}

/** Positions of the present: as long as the batch, at least as long as the past. */
function presentLength(ctx: InferContext | LowerContext, { past, inPlace }: GroupQuerySizes): Dim {
  if (inPlace) return past as Dim
  const [total] = ctx.valuesOrRead(INPUT.total)
  return max(total as Dim, past ?? 0)
}

function lower(ctx: LowerContext): void {
  const sizes = groupQuerySizes(ctx, (i) => (ctx.has(i) ? ctx.inputType(i).shape : undefined))
  const { heads, keyHeads, size, inPlace } = sizes
  const attribute = (name: string) => floatAttribute(ctx.node, name, 0)
  const starts = inPlace ? ctx.input(INPUT.pastLength) : firstPositions(ctx, sizes)
  const [first, second, v] = separate(ctx, sizes)
  const angles = rotaryAngles(ctx, starts)
  const turned = (x: Heads, count: number, weight: number) => {
    const normal = normalized(ctx, x, count, size, weight)
    return angles ? rotate(ctx, normal, count, angles) : normal
  }
  const q = turned(first, heads, INPUT.queryNorm)
  const k = turned(second, keyHeads, INPUT.keyNorm)
  const causal = intAttribute(ctx.node, 'causal', 1) !== 0
  const window = intAttribute(ctx.node, 'local_window_size', -1)
  const form = {
    heads,
    keyHeads,
    scale: attribute('scale') || 1 / Math.sqrt(size),
    softcap: attribute('softcap'),
    causal,
    window: Math.max(window, 0),
    bias: floatInput(ctx, INPUT.bias),
    starts,
    lengths: causal || inPlace ? -1 : sequenceLengths(ctx, sizes),
    sinks: sinks(ctx, heads),
  }
  const [keys, values] = sizes.int8
    ? ([appendInt8(ctx, KEYS, k, keyHeads, starts), appendInt8(ctx, VALUES, v, keyHeads, starts)] as const)
    : ([
        floatPresent(ctx, 1, INPUT.pastKey, k, sizes, starts),
        floatPresent(ctx, 2, INPUT.pastValue, v, sizes, starts),
      ] as const)
  floatOutput(ctx, 0, undefined, (y) => attentionStep(ctx, q.tensor, keys, values, form, y))
}

const KEYS = { past: INPUT.pastKey, scales: INPUT.pastKeyScales, present: 1, presentScales: 4 }
const VALUES = { past: INPUT.pastValue, scales: INPUT.pastValueScales, present: 2, presentScales: 5 }

function floatPresent(
  ctx: LowerContext,
  o: number,
  i: number,
  x: Heads,
  sizes: GroupQuerySizes,
  starts: number,
): Rows {
  const { batch, keyHeads, size } = sizes
  const dims = () => [batch, keyHeads, presentLength(ctx, sizes), size]
  return { levels: presentOf(ctx, o, i, x.tensor, keyHeads, dims, starts) }
}

/** q, k and v, from one tensor where they are packed. */
function separate(ctx: LowerContext, sizes: GroupQuerySizes): [Heads, Heads, Heads] {
  const { batch, sequence, heads, keyHeads, size } = sizes
  if (!sizes.packed) {
    const given = (i: number) => ({ tensor: floatInput(ctx, i), dims: ctx.inputType(i).shape })
    return [given(INPUT.query), given(INPUT.key), given(INPUT.value)]
  }
  const part = (count: number) => {
    const dims = [batch, sequence, count * size]
    return { tensor: ctx.scratch('float32', dims, 'part'), dims }
  }
  const [q, k, v] = [part(heads), part(keyHeads), part(keyHeads)]
  ctx.step(steps.Split({ x: floatInput(ctx, INPUT.query) }, { axis: ints(2) }), [
    q.tensor,
    k.tensor,
    v.tensor,
  ])
  return [q, k, v]
}

/** Positions before this call: total length - sequence, of each element of the batch; 0 where a first prompt is padded. */
function firstPositions(ctx: LowerContext, { batch, sequence }: GroupQuerySizes): number {
  const before = ctx.scratch('int32', [], 'before')
  ctx.step(steps.Values({}, { values: ints(sub(1, sequence)) }), [before])
  const starts = ctx.scratch('int32', [batch], 'starts')
  binaryStep(ctx, 'add', ctx.alias(ctx.input(INPUT.lengths), [batch]), before, starts)
  const positive = ctx.scratch('int32', [batch], 'starts')
  binaryStep(ctx, 'max', starts, ctx.constantTensor('int32', [], new Uint8Array(4)), positive)
  return positive
}

function sequenceLengths(ctx: LowerContext, { batch }: GroupQuerySizes): number {
  const lengths = ctx.scratch('int32', [batch], 'lengths')
  const one = ctx.constantTensor('int32', [], Uint8Array.of(1, 0, 0, 0))
  binaryStep(ctx, 'add', ctx.alias(ctx.input(INPUT.lengths), [batch]), one, lengths)
  return lengths
}

function rotaryAngles(ctx: LowerContext, starts: number): Angles | undefined {
  if (intAttribute(ctx.node, 'do_rotary', 0) === 0) return undefined
  return {
    cos: floatInput(ctx, INPUT.cos),
    sin: floatInput(ctx, INPUT.sin),
    positions: ctx.has(INPUT.positions) ? ctx.input(INPUT.positions) : starts,
    interleaved: intAttribute(ctx.node, 'rotary_interleaved', 0) !== 0,
  }
}

/** Each head by the root of its mean square, where the node has a weight for that. */
function normalized(ctx: LowerContext, x: Heads, heads: number, size: number, weight: number): Heads {
  if (!ctx.has(weight)) return x
  const split = [...x.dims.slice(0, 2), heads, size]
  const y = ctx.scratch('float32', split, 'normalized')
  const attributes = {
    axis: ints(3),
    epsilon: floats(floatAttribute(ctx.node, 'qk_norm_epsilon', 1e-6)),
    rms: ints(1),
  }
  ctx.step(steps.LayerNorm({ x: ctx.alias(x.tensor, split), scale: floatInput(ctx, weight) }, attributes), [
    y,
  ])
  return { tensor: ctx.alias(y, x.dims), dims: x.dims }
}

/** head_sink; or 0 for all heads, which is what a smooth softmax adds to its sum. */
function sinks(ctx: LowerContext, heads: number): number {
  if (ctx.has(INPUT.sink)) return floatInput(ctx, INPUT.sink)
  if (intAttribute(ctx.node, 'smooth_softmax', 0) !== 1) return -1
  return ctx.constantTensor('float32', [heads], new Uint8Array(heads * 4))
}

export const ops: readonly OpDef[] = [
  {
    opType: 'GroupQueryAttention',
    domain: 'com.microsoft',
    inputs: [1, 19],
    outputs: [1, 6],
    infer,
    lower,
  },
]
