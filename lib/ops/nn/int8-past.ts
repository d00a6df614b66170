/** A past of int8 that is written in place: each head of a position has a scale. */
import type { Dim } from '../../graph/expr.js'
import { floats, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import type { LowerContext } from '../core/opdef.js'
import type { Rows } from './attention-steps.js'

/** Inputs and outputs of a node: levels of the past, their scales; where both are written. */
export interface Int8Places {
  readonly past: number
  readonly scales: number
  readonly present: number
  readonly presentScales: number
}

/**
 * Rounds x, [batch, sequence, heads * size], head by head and writes it from the position `starts` on, as int8 [batch, heads,
 * positions, size] and float32 scales [batch, heads, positions].
 */
export function appendInt8(
  ctx: LowerContext,
  places: Int8Places,
  x: { readonly tensor: number; readonly dims: readonly Dim[] },
  heads: number,
  starts: number,
): Rows {
  const [batch, sequence, width] = x.dims as [Dim, Dim, number]
  const rows = [batch, sequence, heads, width / heads]
  const y = ctx.scratch('int8', rows, 'levels')
  const scale = ctx.scratch('float32', [batch, sequence, heads, 1], 'scales')
  // A head of zeros has the least scale.
  const attributes = { levels: floats(127), least: floats(1e-30), symmetric: ints(1), qmin: ints(-127) }
  ctx.step(steps.QuantizeRows({ x: ctx.alias(x.tensor, rows) }, attributes), [y, scale])
  const turned = ctx.scratch('float32', [batch, heads, sequence], 'scales')
  const before = ctx.alias(scale, [batch, sequence, heads])
  ctx.step(steps.Transpose({ x: before }, { perm: ints(0, 2, 1) }), [turned])
  const levels = ctx.output(places.present)
  const scales = ctx.output(places.presentScales)
  const own = { x: ctx.alias(y, x.dims), starts }
  ctx.step(steps.Append({ ...own, past: ctx.input(places.past) }, { heads: ints(heads) }), [levels])
  ctx.step(steps.Append({ past: ctx.input(places.scales), x: turned, starts }, { heads: ints(heads) }), [
    scales,
  ])
  return { levels, scales }
}
