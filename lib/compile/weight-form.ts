/** How a step computes with weights that stay packed, in words. */
import { formatOf } from '../graph/format.js'
import { intOf, textOf } from '../plan/attributes.js'
import { operand, quantizedOperand } from '../plan/operands.js'
import type { Plan, PlanStep, PlanTensor } from '../plan/plan.js'

/** `integer 4-bit, group 32`; undefined: the step has no weights of less than a byte, and none in blocks. */
export function weightForm(plan: Plan, step: PlanStep): string | undefined {
  const { op } = step
  const of = (t: number) => plan.tensors[t] as PlanTensor
  switch (op) {
    case 'BlockMatMul': {
      const { dtype, dims } = of(operand(step, 'b'))
      const k = dims[intOf(step, 'trans_b', 0)] as number
      const integer = textOf(step, 'activations') !== 'float'
      const numbers = integer ? 'integer' : 'float activations,'
      return `${numbers} ${bitsOf(dtype)}-bit, ${groupOf(intOf(step, 'block_size', 0), k)}`
    }
    case 'GatherBlocks': {
      const { dtype, dims } = of(operand(step, 'x'))
      const length = dims[intOf(step, 'quantize_axis', 1)] as number
      return `rows of ${bitsOf(dtype)}-bit, ${groupOf(intOf(step, 'block_size', 0), length)}`
    }
    case 'QConv':
    case 'QConvTranspose':
    case 'QMatMul': {
      const { tensor, scale } = quantizedOperand(step, op === 'QMatMul' ? 'b' : 'w')
      const bits = bitsOf(of(tensor).dtype)
      const scales = of(scale).dims.every((d) => d === 1) ? 'tensor' : 'channel'
      return bits < 8 ? `integer ${bits}-bit, per ${scales}` : undefined
    }
  }
  return undefined
}

function bitsOf(dtype: PlanTensor['dtype']): number {
  return formatOf(dtype)?.bits ?? 32
}

function groupOf(size: number, k: number): string {
  return size >= k ? 'per channel' : `group ${size}`
}
