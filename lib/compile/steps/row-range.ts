/** The range of rows as files spell it out: what their scale, and their zero point, are made of. */
import { intsOf, textOf } from '../../plan/attributes.js'
import type { Draft, DraftIndex } from '../../plan/draft.js'
import { operand } from '../../plan/operands.js'
import type { PlanTensor } from '../../plan/plan.js'
import { scalarConstant } from './params.js'
import { argumentOf, eitherOrder, operandsOf } from './spelled.js'

export interface RowRange {
  readonly symmetric: boolean
  /** The scale is width / levels, but at least `least`. */
  readonly levels: number
  readonly least: number
  /** Tensors; `low` is min(x, 0). */
  readonly scale: number
  readonly low?: number
}

/** Of the rows of x; undefined where `scale` is not made of their range. */
export function rowRange(draft: Draft, index: DraftIndex, x: number, scale: number): RowRange | undefined {
  const made = index.root(scale)
  const number = (t: number) => scalarConstant(draft, t)
  for (const [quotient, least] of [...bounded(index, made), [made, -1] as const]) {
    const floor = least < 0 ? 0 : number(least)
    const [width, by] = operandsOf(index, quotient, 'div') ?? []
    const levels = by === undefined ? undefined : number(by)
    if (width === undefined || floor === undefined || !(floor >= 0) || !levels || !(levels > 0)) continue
    const common = { levels, least: floor, scale: made }
    if (isLargest(draft, index, width, x)) return { symmetric: true, ...common }
    const low = lowOfWidth(draft, index, width, x)
    if (low !== undefined) return { symmetric: false, low, ...common }
  }
  return undefined
}

function bounded(index: DraftIndex, t: number): (readonly [number, number])[] {
  return eitherOrder(operandsOf(index, t, 'max'))
}

/** ReduceMax(Abs(x)) */
function isLargest(draft: Draft, index: DraftIndex, t: number, x: number): boolean {
  const of = reducedRows(draft, index, t, 'max')
  return of !== undefined && argumentOf(index, of, 'abs') === x
}

/** Max(ReduceMax(x), 0) - Min(ReduceMin(x), 0): the latter. */
function lowOfWidth(draft: Draft, index: DraftIndex, width: number, x: number): number | undefined {
  const [high, low] = operandsOf(index, width, 'sub') ?? []
  if (high === undefined || low === undefined) return undefined
  return isExtreme(draft, index, high, x, 'max') && isExtreme(draft, index, low, x, 'min')
    ? index.root(low)
    : undefined
}

function isExtreme(draft: Draft, index: DraftIndex, t: number, x: number, fn: 'max' | 'min'): boolean {
  // The greater one of a number and 0 is also its Relu.
  const relu = fn === 'max' ? argumentOf(index, t, 'relu') : undefined
  if (relu !== undefined && reducedRows(draft, index, relu, fn) === x) return true
  return eitherOrder(operandsOf(index, t, fn)).some(
    ([extreme, zero]) => scalarConstant(draft, zero) === 0 && reducedRows(draft, index, extreme, fn) === x,
  )
}

/** What is reduced over its last axis alone. */
function reducedRows(draft: Draft, index: DraftIndex, t: number, fn: 'max' | 'min'): number | undefined {
  const step = index.producer(index.root(t))
  if (step?.op !== 'Reduce' || textOf(step, 'fn') !== fn) return undefined
  const x = operand(step, 'x')
  const { dims } = draft.tensors[x] as PlanTensor
  const axes = intsOf(step, 'axes')
  return axes.length === 1 && axes[0] === dims.length - 1 ? x : undefined
}

/** Whether t is qmin + Round(-low / scale), in any order. */
export function isZeroPoint(
  draft: Draft,
  index: DraftIndex,
  t: number,
  { low, scale }: RowRange,
  qmin: number,
): boolean {
  const ratio = (q: number, of: (n: number) => boolean) => {
    const [n, d] = operandsOf(index, q, 'div') ?? []
    return n !== undefined && d !== undefined && index.root(d) === scale && of(n)
  }
  const isLow = (n: number) => index.root(n) === low
  const isNegated = (n: number, of: (x: number) => boolean) => {
    const x = argumentOf(index, n, 'neg')
    if (x !== undefined) return of(x)
    const [zero, taken] = operandsOf(index, n, 'sub') ?? []
    return zero !== undefined && taken !== undefined && scalarConstant(draft, zero) === 0 && of(taken)
  }
  const isRounded = (n: number, of: (x: number) => boolean) => {
    const x = argumentOf(index, n, 'round')
    return x !== undefined && of(x)
  }
  const down = (n: number) => isRounded(n, (r) => ratio(r, isLow))
  const up = (n: number) =>
    isRounded(n, (r) => ratio(r, (l) => isNegated(l, isLow)) || isNegated(r, (q) => ratio(q, isLow))) ||
    isNegated(n, down)
  if (qmin === 0) return up(t)
  const isLeast = (c: number) => scalarConstant(draft, c) === qmin
  const [from, taken] = operandsOf(index, t, 'sub') ?? []
  if (from !== undefined && taken !== undefined && isLeast(from) && down(taken)) return true
  return eitherOrder(operandsOf(index, t, 'add')).some(([c, n]) => isLeast(c) && up(n))
}
