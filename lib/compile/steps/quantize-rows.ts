/**
 * Levels of rows by their own range, as files spell them out  =>  `QuantizeRows`, with the same arithmetic:
 *
 *     s = Max((max(x, 0) - min(x, 0)) / levels, least), z = qmin + Round(-min(x, 0) / s), q = Cast(Clip(Round(x / s) + z))
 *     symmetric: s = Max(ReduceMax(Abs(x)) / levels, least), q = Cast(Clip(Round(x / s))) or QuantizeLinear(x, s)
 *     QMatMul(q, w) - Cast(z) * (column sums of w)  =>  QMatMul(q with z, w)
 *
 * `least` and Clip may be absent.
 */
import { FORMATS } from '../../graph/format.js'
import { floats, floatsOf, intOf, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { addTensor, type Draft, type DraftIndex } from '../../plan/draft.js'
import { operand, parameters } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { isZeroPoint, type RowRange, rowRange } from './row-range.js'
import { takeZeroPoints } from './row-zeros.js'
import { argumentOf, eitherOrder, functionOf, operandsOf } from './spelled.js'

interface Bounds {
  readonly qmin: number
  readonly qmax: number
}

interface Rows extends Bounds {
  readonly x: number
  readonly range: RowRange
  /** The zero points as float32; undefined: symmetric. */
  readonly zero?: number
}

export function quantizeRows(draft: Draft): Draft {
  return rewriteSteps(draft, (step, rewriting) => {
    const { index } = rewriting
    const rows = step.op === 'Cast' ? ofCast(draft, index, step) : ofQuantize(draft, index, step)
    const scaling = rows && index.producer(rows.range.scale)
    // A scale that quantizes two tensors: the second stays as it is.
    if (!rows || !scaling || rewriting.current(scaling) !== scaling) return undefined
    const q = step.outputs[0] as number
    const { name, dtype } = draft.tensors[q] as PlanTensor
    const { dims } = draft.tensors[rows.range.scale] as PlanTensor
    const { symmetric, levels, least, scale } = rows.range
    const zeroPoint = symmetric
      ? -1
      : addTensor(draft, { name: `${name}_zero_point`, dtype, dims, kind: 'scratch' })
    const attributes = {
      levels: floats(levels),
      least: floats(least),
      symmetric: ints(symmetric ? 1 : 0),
      qmin: ints(rows.qmin),
      qmax: ints(rows.qmax),
    }
    const outputs = symmetric ? [q, scale] : [q, scale, zeroPoint]
    const nodes = [...scaling.nodes, ...step.nodes]
    // In the place of the scale, which others may read before the levels are made.
    rewriting.replace(scaling, [{ ...steps.QuantizeRows({ x: rows.x }, attributes), outputs, nodes }])
    if (rows.zero !== undefined) takeZeroPoints(draft, rewriting, { q, zero: rows.zero, zeroPoint })
    return []
  })
}

function ofCast(draft: Draft, index: DraftIndex, cast: PlanStep): Rows | undefined {
  const dtype = draft.tensors[cast.outputs[0] as number]?.dtype
  let real = operand(cast, 'x')
  if ((dtype !== 'uint8' && dtype !== 'int8') || draft.tensors[real]?.dtype !== 'float32') return undefined
  let { qmin, qmax } = FORMATS[dtype]
  const clip = functionOf(index, real, 'clip')
  if (clip) {
    const [low = Number.NaN, high = Number.NaN] = floatsOf(clip, 'params')
    if (!Number.isInteger(low) || !Number.isInteger(high) || low < qmin || high > qmax) return undefined
    qmin = low
    qmax = high
    real = operand(clip, 'x')
  }
  const sum = eitherOrder(operandsOf(index, real, 'add'))
  if (sum.length === 0) return rounded(draft, index, real, { qmin, qmax })
  for (const [level, zero] of sum) {
    const rows = rounded(draft, index, level, { qmin, qmax }, zero)
    if (rows) return rows
  }
  return undefined
}

/** Round(x / s) */
function rounded(
  draft: Draft,
  index: DraftIndex,
  t: number,
  bounds: Bounds,
  zero?: number,
): Rows | undefined {
  const ratio = argumentOf(index, t, 'round')
  const [x, scale] = (ratio !== undefined && operandsOf(index, ratio, 'div')) || []
  const range = x === undefined || scale === undefined ? undefined : rowRange(draft, index, x, scale)
  if (x === undefined || !range || range.symmetric !== (zero === undefined)) return undefined
  if (zero !== undefined && !isZeroPoint(draft, index, zero, range, bounds.qmin)) return undefined
  return { x, range, ...bounds, ...(zero === undefined ? {} : { zero }) }
}

/** QuantizeLinear of the rows of a matrix. */
function ofQuantize(draft: Draft, index: DraftIndex, step: PlanStep): Rows | undefined {
  if (step.op !== 'QuantizeLinear' || intOf(step, 'block_size', 0) !== 0) return undefined
  const x = operand(step, 'x')
  const { dims } = draft.tensors[x] as PlanTensor
  const { scale, zeroPoint = -1 } = parameters(step, 'y')
  if (zeroPoint >= 0 || draft.tensors[step.outputs[0] as number]?.dtype !== 'int8') return undefined
  const isMatrix = dims.length > 1 && dims.slice(0, -2).every((d) => d === 1)
  if (!isMatrix || intOf(step, 'axis', 1) !== dims.length - 2) return undefined
  const range = rowRange(draft, index, x, scale)
  const { qmin, qmax } = FORMATS.int8
  return range?.symmetric
    ? { x, range, qmin: intOf(step, 'qmin', qmin), qmax: intOf(step, 'qmax', qmax) }
    : undefined
}
