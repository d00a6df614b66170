/**
 * The float Add of a Conv and a tensor of its shape as a residual of the Conv: one pass over memory less, and
 * the Relu behind the sum becomes the Conv's.
 */

import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Draft, DraftIndex, sameDims, text } from '../draft.js'

/** Position in the inputs of Conv (docs/steps.md). */
const RESIDUAL = 3

export function residualIntoConv(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const gone = new Set<PlanStep>()
  const replaced = new Map<PlanStep, PlanStep>()
  for (const step of draft.steps) {
    const conv =
      step.op === 'Binary' && text(step, 'fn') === 'add' ? addend(draft, index, step, gone) : undefined
    if (!conv) continue
    const made = conv.outputs[0] as number
    const other = step.inputs.find((t) => t !== made) as number
    gone.add(conv)
    replaced.set(step, {
      ...conv,
      inputs: [conv.inputs[0] as number, conv.inputs[1] as number, conv.inputs[2] ?? -1, other],
      outputs: step.outputs,
      nodes: [...conv.nodes, ...step.nodes],
    })
  }
  return { ...draft, steps: draft.steps.filter((s) => !gone.has(s)).map((s) => replaced.get(s) ?? s) }
}

/** The Conv that can take the sum; of two, the one that is the second operand: most often the later one. */
function addend(
  draft: Draft,
  index: DraftIndex,
  step: PlanStep,
  gone: ReadonlySet<PlanStep>,
): PlanStep | undefined {
  const tensor = (t: number) => draft.tensors[t] as PlanTensor
  const out = tensor(step.outputs[0] as number)
  const [a, b] = step.inputs as [number, number]
  if (a === b || ![a, b].every((t) => tensor(t).dtype === 'float32' && sameDims(tensor(t).dims, out.dims)))
    return undefined
  for (const mine of [b, a]) {
    const conv = index.producer(mine)
    if (conv?.op !== 'Conv' || gone.has(conv) || conv.attributes.fn !== undefined) continue
    if ((conv.inputs[RESIDUAL] ?? -1) < 0 && index.soleReader(mine) === step) return conv
  }
  return undefined
}
