/** RotaryEmbedding, of the standard and of onnxruntime: pairs of elements turned by the angle of their position. */

import { type Dim, formatDim } from '../../graph/expr.js'
import { floatAttribute, intAttribute } from '../../graph/graph.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { rotaryStep } from './attention-steps.js'
import { checkFloat, compatible } from './conv.js'

/** Positions of the inputs; x is the first. */
interface Places {
  readonly cos: number
  readonly sin: number
  readonly positions: number
}

const STANDARD: Places = { cos: 1, sin: 2, positions: 3 }
const CONTRIB: Places = { positions: 1, cos: 2, sin: 3 }

interface Turning {
  readonly heads: number
  /** Pairs of a head. */
  readonly half: number
}

/** x is [batch, heads, sequence, size] or [batch, sequence, heads * size]. `angles`: the last axis of cos. */
function turning(ctx: NodeContext, x: readonly Dim[], angles: Dim | undefined, standard: boolean): Turning {
  const last = x[x.length - 1]
  const stated = intAttribute(ctx.node, 'rotary_embedding_dim', 0)
  let heads = intAttribute(ctx.node, 'num_heads', 0)
  // Files of onnxruntime may leave the heads to the angles, which are those of whole heads then.
  if (!standard && heads === 0 && typeof last === 'number' && typeof angles === 'number') {
    heads = Math.floor(last / (2 * angles))
  }
  const flat = x.length === 3
  if (!(x.length === 4 || (flat && heads >= 1 && typeof last === 'number' && last % heads === 0))) {
    return ctx.fail(
      `rank 4, or rank 3 and num_heads that divides the last axis, got ${formatShape(x)} and ${heads}`,
    )
  }
  const size = flat ? (last as number) / heads : last
  const given = standard || stated !== 0 ? stated : typeof angles === 'number' ? 2 * angles : 0
  const dim = given === 0 ? size : given
  if (typeof dim !== 'number' || dim % 2 !== 0 || dim < 2 || (typeof size === 'number' && dim > size)) {
    return ctx.fail(`an even rotary_embedding_dim of at most ${formatDim(size ?? 0)}, got ${dim}`)
  }
  return { heads, half: dim / 2 }
}

const lastOf = (shape: readonly Dim[] | undefined) => shape?.[shape.length - 1]

function infer(ctx: InferContext, places: Places): readonly Inferred[] {
  const x = ctx.required(0)
  checkFloat(ctx, x.dtype)
  const standard = places === STANDARD
  const { half } = turning(ctx, x.shape, lastOf(ctx.required(places.cos).shape), standard)
  const positions = ctx.input(places.positions)?.shape
  const rank = positions === undefined ? 3 : 2
  for (const i of [places.cos, places.sin]) {
    const { shape } = ctx.required(i)
    const last = lastOf(shape)
    if (shape.length !== rank || last === undefined || !compatible(last, half)) {
      ctx.fail(`input ${i} of rank ${rank} with a last axis of ${half}, got ${formatShape(shape)}`)
    }
  }
  if (!standard) {
    const isStart = positions?.length === 1 && compatible(positions[0] as Dim, 1)
    if (positions && positions.length !== 2 && !isStart) {
      ctx.fail(`position_ids (input 1) of sizes [1] or [batch, sequence], got ${formatShape(positions)}`)
    }
    if (intAttribute(ctx.node, 'is_packed_batching', 0) !== 0) {
      ctx.fail('attribute is_packed_batching of 0 (packed batches are not supported)')
    }
    const scale = floatAttribute(ctx.node, 'scale', 1)
    if (scale !== 1 && scale !== 0) ctx.fail(`attribute scale of 1 (no other is supported), got ${scale}`)
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

function lower(ctx: LowerContext, places: Places): void {
  const { shape } = ctx.inputType(0)
  const { heads } = turning(ctx, shape, lastOf(ctx.inputType(places.cos).shape), places === STANDARD)
  const angles = {
    cos: floatInput(ctx, places.cos),
    sin: floatInput(ctx, places.sin),
    positions: ctx.has(places.positions) ? ctx.input(places.positions) : -1,
    interleaved: intAttribute(ctx.node, 'interleaved', 0) !== 0,
  }
  floatOutput(ctx, 0, undefined, (y) => rotaryStep(ctx, floatInput(ctx, 0), heads, angles, y))
}

function rotaryEmbedding(domain: OpDef['domain'], places: Places, inputs: OpDef['inputs']): OpDef {
  return {
    opType: 'RotaryEmbedding',
    domain,
    inputs,
    outputs: [1, 1],
    infer: (ctx) => infer(ctx, places),
    lower: (ctx) => lower(ctx, places),
  }
}

export const ops: readonly OpDef[] = [
  rotaryEmbedding('', STANDARD, [3, 4]),
  rotaryEmbedding('com.microsoft', CONTRIB, [4, 4]),
]
