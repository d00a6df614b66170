/** Add, Sub and Mul of a constant number are functions of one tensor: written so, they join the table of what is around them. */

import type { PlanStep } from '../../plan/plan.js'
import { type Draft, floatAttr, sameDims, text, textAttr } from '../draft.js'
import { scalarConstant } from './params.js'

export function scalarToUnary(draft: Draft): Draft {
  return { ...draft, steps: draft.steps.map((step) => asUnary(draft, step) ?? step) }
}

function asUnary(draft: Draft, step: PlanStep): PlanStep | undefined {
  if (step.op !== 'Binary') return undefined
  for (const data of [0, 1]) {
    const x = step.inputs[data] as number
    const c = scalarConstant(draft, step.inputs[1 - data] as number)
    const made = draft.tensors[step.outputs[0] as number]
    const source = draft.tensors[x]
    if (c === undefined || !made || !source || source.kind === 'constant') continue
    if (made.dtype !== 'float32' || source.dtype !== 'float32' || !sameDims(source.dims, made.dims)) continue
    const params = affineOf(text(step, 'fn'), c, 1 - data)
    if (!params) continue
    return {
      ...step,
      op: 'Unary',
      inputs: [x],
      attributes: { fns: textAttr('affine'), params: floatAttr(...params) },
    }
  }
  return undefined
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
