/**
 * `Transpose -> QuantizeLinear  =>  QuantizeLinear -> Transpose`, above aliases and movers with one input that nothing
 * else reads: quantizers rise to the step that computes.
 */
import { addTensor, type Draft } from '../../plan/draft.js'
import { operand, parameters, withOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Rewriting, rewriteSteps } from '../../plan/rewrite.js'
import { findStep } from '../../plan/steps/index.js'
import { isPerTensor } from './params.js'

/** A quantizer rises above as many steps. */
const ROUNDS = 8

export function hoistQuantize(draft: Draft): Draft {
  let current = draft
  for (let round = 0; round < ROUNDS; ++round) {
    const next = rewriteSteps(current, hoisted)
    if (next === current) return current
    current = next
  }
  return current
}

function hoisted(step: PlanStep, rewriting: Rewriting): PlanStep | undefined {
  const { draft, index } = rewriting
  if (step.op !== 'QuantizeLinear' || !isPerTensor(draft, parameters(step, 'y').scale)) return undefined
  const source = operand(step, 'x')
  const tensor = draft.tensors[source] as PlanTensor
  const out = step.outputs[0] as number
  if (tensor.kind === 'alias' && tensor.of !== undefined) {
    const raised = cloneOutput(draft, out, draft.tensors[tensor.of] as PlanTensor)
    draft.tensors[out] = { ...(draft.tensors[out] as PlanTensor), kind: 'alias', of: raised }
    return { ...withOperand(step, 'x', tensor.of), outputs: [raised] }
  }
  const mover = index.producer(source)
  if (!mover || !findStep(mover.op)?.quantizeBefore) return undefined
  if (rewriting.current(mover) !== mover || index.soleReader(source) !== step) return undefined
  const moved = operand(mover, 'x')
  const from = draft.tensors[moved] as PlanTensor
  if (from.kind === 'constant') return undefined
  const raised = cloneOutput(draft, out, from)
  rewriting.replace(mover, [{ ...withOperand(step, 'x', moved), outputs: [raised] }])
  return { ...withOperand(mover, 'x', raised), outputs: [out] }
}

function cloneOutput(draft: Draft, out: number, like: PlanTensor): number {
  const tensor = draft.tensors[out] as PlanTensor
  return addTensor(draft, { name: tensor.name, dtype: tensor.dtype, dims: like.dims, kind: 'scratch' })
}
