/**
 * A step whose result only becomes the value of a state writes the state itself:
 *
 *     t = Binary(s, x); ...; s = Copy(t)  =>  s = Binary(s, x); ...
 */
import { type Draft, type DraftIndex, sameDims } from '../../plan/draft.js'
import { type OperandName, operand, positionOf } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { findStep } from '../../plan/steps/index.js'

export function writeStatesDirectly(draft: Draft): Draft {
  if (!draft.tensors.some(({ kind }) => kind === 'state')) return draft
  return rewriteSteps(draft, (step, rewriting) => {
    const state = step.outputs[0] ?? -1
    if (step.op !== 'Copy' || draft.tensors[state]?.kind !== 'state') return undefined
    const source = operand(step, 'x')
    const producer = rewriting.index.producer(source)
    if (!producer || rewriting.index.soleReader(source) !== step || !fits(draft, source, state))
      return undefined
    if (!isReadBefore(draft, rewriting.index, state, producer)) return undefined
    const { outputs, ...made } = rewriting.current(producer)
    rewriting.replace(producer, [{ ...made, outputs: outputs.map((t) => (t === source ? state : t)) }])
    return []
  })
}

function fits(draft: Draft, source: number, state: number): boolean {
  const [from, to] = [draft.tensors[source], draft.tensors[state]]
  return from?.kind === 'scratch' && to !== undefined && sameDims(from.dims, to.dims)
}

/** Whether nothing after `writer` reads the state, and `writer` does not, or may lie over what it reads. */
function isReadBefore(draft: Draft, index: DraftIndex, state: number, writer: PlanStep): boolean {
  const at = draft.steps.indexOf(writer)
  return index.readers(state).every((reader) => {
    return reader === writer ? writesOver(index, state, writer) : draft.steps.indexOf(reader) < at
  })
}

function writesOver(index: DraftIndex, state: number, { op, inputs, outputs }: PlanStep): boolean {
  const allowed = (findStep(op)?.writesOver ?? []).map((name) => positionOf(op, name as OperandName))
  // An alias of the state has other sizes: rows would be read after they were written.
  return (
    outputs.length === 1 &&
    inputs.every((t, i) => t < 0 || index.root(t) !== state || (t === state && allowed.includes(i)))
  )
}
