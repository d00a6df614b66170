/**
 * `Conv -> Binary add (r)  =>  Conv with residual r`, in floating point: one pass over memory less, and the Relu after
 * the sum becomes the Conv's.
 */
import { textOf } from '../../plan/attributes.js'
import { type Draft, sameDims } from '../../plan/draft.js'
import { operand, withOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Rewriting, rewriteSteps } from '../../plan/rewrite.js'

export function residualIntoConv(draft: Draft): Draft {
  return rewriteSteps(draft, (step, rewriting) => {
    if (step.op !== 'Binary' || textOf(step, 'fn') !== 'add') return undefined
    const [a, b] = [operand(step, 'a'), operand(step, 'b')]
    const conv = addend(rewriting, step, a, b)
    if (!conv) return undefined
    rewriting.remove(conv)
    return {
      ...withOperand(conv, 'residual', conv.outputs[0] === a ? b : a),
      outputs: step.outputs,
      nodes: [...conv.nodes, ...step.nodes],
    }
  })
}

/** The Conv that can take the sum; of two, the one that is the second operand: most often the later one. */
function addend(rewriting: Rewriting, step: PlanStep, a: number, b: number): PlanStep | undefined {
  const { draft, index } = rewriting
  const tensor = (t: number) => draft.tensors[t] as PlanTensor
  const out = tensor(step.outputs[0] as number)
  if (a === b || ![a, b].every((t) => tensor(t).dtype === 'float32' && sameDims(tensor(t).dims, out.dims)))
    return undefined
  for (const mine of [b, a]) {
    const conv = index.producer(mine)
    if (conv?.op !== 'Conv' || rewriting.isGone(conv) || conv.attributes.fn !== undefined) continue
    if (operand(conv, 'residual') < 0 && index.soleReader(mine) === step) return conv
  }
  return undefined
}
