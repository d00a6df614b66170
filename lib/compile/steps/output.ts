/** What an integer step writes: the names of the operand and the attributes that say so. */
import { type OperandName, operand } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'
import { findStep } from '../../plan/steps/index.js'

export interface Written {
  /** Operand with the scale and zero point of the output. */
  readonly parameters: OperandName
  /** Attributes that bound it. */
  readonly qmin: string
  readonly qmax: string
}

const PRODUCT: Written = { parameters: 'y', qmin: 'qmin', qmax: 'qmax' }
const SUM: Written = { parameters: 'sum', qmin: 'sum_qmin', qmax: 'sum_qmax' }

/** With a residual a product writes the sum; undefined: the step states no parameters for what it writes. */
export function writtenBy(step: PlanStep): Written | undefined {
  const inputs = findStep(step.op)?.inputs
  if (inputs?.y?.kind !== 'parameters') return undefined
  return inputs.residual && operand(step, 'residual') >= 0 ? SUM : PRODUCT
}
