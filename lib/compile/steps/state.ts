/**
 * A step whose result only becomes the value of a state writes the state itself:
 *
 *     t = Binary(s, x); ...; s = Copy(t)  =>  s = Binary(s, x); ...
 *
 * What else reads the result reads the state after that, and says so (`reads_updated`).
 */

import { ints } from '../../plan/attributes.js'
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
    if (!producer || !fits(draft, source, state) || !isReadAsItself(rewriting.index, source)) return undefined
    if (!isReadBefore(draft, rewriting.index, state, producer)) return undefined
    for (const reader of rewriting.index.readers(source)) {
      if (reader !== step) rewriting.replace(reader, [readUpdated(rewriting.current(reader), source, state)])
    }
    const { outputs, ...made } = rewriting.current(producer)
    rewriting.replace(producer, [{ ...made, outputs: outputs.map((t) => (t === source ? state : t)) }])
    return []
  })
}

function fits(draft: Draft, source: number, state: number): boolean {
  const [from, to] = [draft.tensors[source], draft.tensors[state]]
  return from?.kind === 'scratch' && to !== undefined && sameDims(from.dims, to.dims)
}

/** Whether all that read a tensor read it under its own name, and nothing else does. */
function isReadAsItself(index: DraftIndex, t: number): boolean {
  return !index.isPinned(t) && index.readers(t).every((reader) => reader.inputs.includes(t))
}

function readUpdated(step: PlanStep, from: number, state: number): PlanStep {
  const before = step.attributes.reads_updated
  const asked = before?.kind === 'ints' ? before.value : []
  const positions = step.inputs.flatMap((t, i) => (t === from ? [i] : []))
  return {
    ...step,
    inputs: step.inputs.map((t) => (t === from ? state : t)),
    attributes: { ...step.attributes, reads_updated: ints(...asked, ...positions) },
  }
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
