/** Arithmetic that a file spells out, looked at from its result; axes of one element that come and go do not matter. */
import { textOf, textsOf } from '../../plan/attributes.js'
import type { DraftIndex } from '../../plan/draft.js'
import { operand } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'

/** The step that makes t by this function alone. */
export function functionOf(index: DraftIndex, t: number, fn: string): PlanStep | undefined {
  const step = index.producer(index.root(t))
  const fns = step?.op === 'Unary' ? textsOf(step, 'fns') : []
  return fns.length === 1 && fns[0] === fn ? step : undefined
}

/** What the function is of. */
export function argumentOf(index: DraftIndex, t: number, fn: string): number | undefined {
  const step = functionOf(index, t, fn)
  return step && operand(step, 'x')
}

/** Both operands of the step that makes t. */
export function operandsOf(index: DraftIndex, t: number, fn: string): readonly [number, number] | undefined {
  const step = index.producer(index.root(t))
  if (step?.op !== 'Binary' || textOf(step, 'fn') !== fn) return undefined
  return [operand(step, 'a'), operand(step, 'b')]
}

/** The operands in both orders. */
export function eitherOrder(pair: readonly [number, number] | undefined): (readonly [number, number])[] {
  return pair ? [pair, [pair[1], pair[0]]] : []
}
