/** What the operators of attention lower to: the steps Rotary, Append and Attention. */
import type { Dim } from '../../graph/expr.js'
import { floats, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import type { LowerContext } from '../core/opdef.js'

/** A tensor [batch, sequence, heads * size] or [batch, heads, sequence, size]. */
export interface Heads {
  readonly tensor: number
  readonly dims: readonly Dim[]
}

export interface AttentionForm {
  readonly heads: number
  readonly keyHeads: number
  readonly scale: number
  readonly softcap?: number
  /** Each query sees the keys up to its own position; 0: all of them, else so many. */
  readonly causal?: boolean
  readonly window?: number
  /** Added to scores, [batch or 1, heads or 1, queries or 1, keys]. */
  readonly bias?: number
  /** Position of the first query; number of keys: int32 or int64, one for all or one for each element of the batch. */
  readonly starts?: number
  readonly lengths?: number
  /** Scores without a value, [heads]. */
  readonly sinks?: number
}

/** Keys or values: float32, or int8 with scales [batch, heads, rows]. */
export interface Rows {
  readonly levels: number
  readonly scales?: number
}

export function attentionStep(
  ctx: LowerContext,
  q: number,
  keys: Rows | number,
  values: Rows | number,
  form: AttentionForm,
  y: number,
): void {
  const { bias, starts, lengths, sinks, heads, keyHeads } = form
  const [k, v] = [keys, values].map((rows) => (typeof rows === 'number' ? { levels: rows } : rows)) as [
    Rows,
    Rows,
  ]
  ctx.step(
    steps.Attention(
      { q, k: k.levels, v: v.levels, bias, starts, lengths, sinks, k_scales: k.scales, v_scales: v.scales },
      {
        heads: ints(heads),
        kv_heads: ints(keyHeads),
        scale: floats(form.scale),
        softcap: floats(form.softcap ?? 0),
        causal: ints(form.causal ? 1 : 0),
        window: ints(form.window ?? 0),
      },
    ),
    [y],
  )
}

/** cos and sin of positions that are numbers: [batch, sequence], or of the first of each sequence. */
export interface Angles {
  readonly cos: number
  readonly sin: number
  readonly positions?: number
  readonly interleaved: boolean
}

export function rotate(ctx: LowerContext, x: Heads, heads: number, angles: Angles): Heads {
  const tensor = ctx.scratch('float32', x.dims, 'rotated')
  rotaryStep(ctx, x.tensor, heads, angles, tensor)
  return { tensor, dims: x.dims }
}

export function rotaryStep(ctx: LowerContext, x: number, heads: number, angles: Angles, y: number): void {
  const { cos, sin, positions, interleaved } = angles
  const attributes = { heads: ints(heads), interleaved: ints(interleaved ? 1 : 0) }
  ctx.step(steps.Rotary({ x, cos, sin, positions }, attributes), [y])
}

/**
 * Keys or values of the past (input i) and then x, [batch, heads, total, size]: output o, or x itself where there is
 * neither. `starts`: where x begins, absent (-1): where the past ends.
 */
export function presentOf(
  ctx: LowerContext,
  o: number,
  i: number,
  x: number,
  heads: number,
  dims: () => readonly Dim[],
  starts = -1,
): number {
  if (!ctx.has(i) && !ctx.hasOutput(o)) return x
  const direct = ctx.hasOutput(o) && ctx.outputType(o).dtype === 'float32'
  const y = direct ? ctx.output(o) : ctx.scratch('float32', dims(), 'present')
  ctx.step(steps.Append({ past: floatInput(ctx, i), x, starts }, { heads: ints(heads) }), [y])
  if (ctx.hasOutput(o) && !direct) ctx.step(steps.Cast({ x: y }), [ctx.output(o)])
  return y
}

/** A past of keys and values in one tensor [2, batch, heads, past, size], which is input i; with what is added, output 1. */
export interface StackedPast {
  readonly input: number
  readonly batch: Dim
  readonly heads: number
  readonly size: number
  readonly past: Dim
  readonly total: Dim
}

/** Keys and values of the past and then k and v; these themselves where there is neither. */
export function stackedPresents(
  ctx: LowerContext,
  { input, batch, heads, size, past, total }: StackedPast,
  k: number,
  v: number,
): readonly [keys: number, values: number] {
  if (!ctx.has(input) && !ctx.hasOutput(1)) return [k, v]
  const before = [-1, -1]
  if (ctx.has(input)) {
    const halves = before.map(() => ctx.scratch('float32', [1, batch, heads, past, size], 'past'))
    ctx.step(steps.Split({ x: floatInput(ctx, input) }, { axis: ints(0) }), halves)
    halves.forEach((half, i) => {
      before[i] = ctx.alias(half, [batch, heads, past, size])
    })
  }
  const made = [k, v].map((x, i) => {
    const y = ctx.scratch('float32', [batch, heads, total, size], 'present')
    ctx.step(steps.Append({ past: before[i], x }, { heads: ints(heads) }), [y])
    return y
  }) as [number, number]
  const rows = made.map((y) => ctx.alias(y, [1, batch, heads, total, size]))
  if (ctx.hasOutput(1)) {
    floatOutput(ctx, 1, undefined, (y) => ctx.step(steps.Concat({ x: rows }, { axis: ints(0) }), [y]))
  }
  return made
}
