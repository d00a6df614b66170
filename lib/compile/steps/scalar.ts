/**
 * `Binary add, sub or mul (x, constant number)  =>  Unary affine`: functions of one tensor, written so, join the table
 * of what is around them.
 */
import { floats, textOf, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { type Draft, sameDims } from '../../plan/draft.js'
import { operand } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { scalarConstant } from './params.js'

export function scalarToUnary(draft: Draft): Draft {
  return rewriteSteps(draft, (step) => {
    if (step.op !== 'Binary') return undefined
    const [a, b] = [operand(step, 'a'), operand(step, 'b')]
    return asUnary(draft, step, a, b, 1) ?? asUnary(draft, step, b, a, 0)
  })
}

/** `position`: of the number among the two operands. */
function asUnary(
  draft: Draft,
  step: PlanStep,
  x: number,
  number: number,
  position: 0 | 1,
): PlanStep | undefined {
  const c = scalarConstant(draft, number)
  const made = draft.tensors[step.outputs[0] as number]
  const source = draft.tensors[x]
  if (c === undefined || !made || !source || source.kind === 'constant') return undefined
  if (made.dtype !== 'float32' || source.dtype !== 'float32' || !sameDims(source.dims, made.dims))
    return undefined
  const params = affineOf(textOf(step, 'fn'), c, position)
  if (!params) return undefined
  const unary = steps.Unary({ x }, { fns: texts('affine'), params: floats(...params) })
  return { ...step, ...unary, kind: step.kind }
}

/** Factor and offset with the bits of the operation: x * 1 and + 0 are exact. */
function affineOf(fn: string, c: number, position: number): readonly [number, number] | undefined {
  switch (fn) {
    case 'add':
      return [1, c]
    case 'mul':
      return [c, 0]
    case 'sub':
      return position === 1 ? [1, -c] : [-1, c]
    default:
      return undefined
  }
}
