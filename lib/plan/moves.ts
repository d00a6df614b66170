/** What the table of steps says of steps that only move elements. */
import { textOf } from './attributes.js'
import { type OperandName, positionOf } from './operands.js'
import type { PlanStep } from './plan.js'
import { findStep } from './steps/index.js'
import type { OperandSpec, StepSpec } from './steps/spec.js'

const NONE: readonly number[] = []

/** Positions of the inputs whose elements reach the output as they are; [] where the step computes. */
export function movedInputs(step: PlanStep): readonly number[] {
  const spec = findStep(step.op)
  if (!spec?.moves || !holds(spec, step, spec.movesWhen) || computesMore(spec, step)) return NONE
  return spec.moves.flatMap((name) => {
    const first = positionOf(step.op, name as OperandName)
    const { many } = spec.inputs[name] as OperandSpec
    return many ? step.inputs.slice(first).map((_, i) => first + i) : [first]
  })
}

/** Position of the number that the step writes beside what it moves; -1: there is none. */
export function fillPosition(step: PlanStep): number {
  const spec = findStep(step.op)
  if (!spec?.fills || !holds(spec, step, spec.fillsWhen)) return -1
  return positionOf(step.op, spec.fills as OperandName)
}

function holds({ attributes }: StepSpec, step: PlanStep, condition: StepSpec['movesWhen']): boolean {
  if (condition === undefined) return true
  const [name, text] = condition
  const absent = attributes[name]?.default
  return textOf(step, name, typeof absent === 'string' ? absent : '') === text
}

/** A further output that is no part of what is moved: the indices of a maximum. */
function computesMore({ outputs }: StepSpec, step: PlanStep): boolean {
  return step.outputs.slice(Object.keys(outputs).length > 1 ? 1 : step.outputs.length).some((t) => t >= 0)
}
