/**
 * Transposes around a QMatMul as the strides it reads and writes with: heads of attention are never moved. The
 * last axis of a and of the result stays where it is; b is packed from any order that has one of its two last.
 */

import type { PlanStep } from '../../plan/plan.js'
import { type Draft, DraftIndex, int, ints, sameDims } from '../draft.js'

/** Positions in the inputs of QMatMul (docs/steps.md). */
const INPUT = { a: 0, b: 3 } as const

export function absorbTransposes(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const gone = new Set<PlanStep>()
  const steps = draft.steps.map((step) => {
    if (step.op !== 'QMatMul') return step
    return writeThrough(index, readThrough(index, readThrough(index, step, 'a'), 'b'), gone)
  })
  return { ...draft, steps: steps.filter((s) => !gone.has(s)) }
}

function readThrough(index: DraftIndex, step: PlanStep, side: 'a' | 'b'): PlanStep {
  const transpose = index.producer(unaliased(index, step.inputs[INPUT[side]] as number))
  const perm = transpose && permutation(transpose)
  if (!perm || int(step, `trans_${side}`, 0) === 1) return step
  const last = perm.length - 1
  if (perm[last] !== last && (side === 'a' || perm[last - 1] !== last)) return step
  const inputs = [...step.inputs]
  inputs[INPUT[side]] = transpose.inputs[0] as number
  const { perm: attribute } = transpose.attributes
  return {
    ...step,
    inputs,
    attributes: { ...step.attributes, ...(attribute && { [`perm_${side}`]: attribute }) },
  }
}

function writeThrough(index: DraftIndex, step: PlanStep, gone: Set<PlanStep>): PlanStep {
  const made = step.outputs[0] as number
  const readers = index.isPinned(made) ? [] : index.readers(made)
  const transpose = readers.length === 1 ? readers[0] : undefined
  const perm = transpose && permutation(transpose)
  if (!perm || perm[perm.length - 1] !== perm.length - 1) return step
  if (unaliased(index, transpose.inputs[0] as number) !== made) return step
  // A residual lies as the output: it would have to move.
  if ((step.inputs[9] ?? -1) >= 0) return step
  gone.add(transpose)
  const { perm: attribute } = transpose.attributes
  return {
    ...step,
    outputs: transpose.outputs,
    nodes: [...step.nodes, ...transpose.nodes],
    attributes: { ...step.attributes, ...(attribute && { perm_y: attribute }) },
  }
}

/** The tensor t is an alias of, where that has the same sizes. */
function unaliased(index: DraftIndex, t: number): number {
  const { kind, of, dims } = index.tensor(t)
  if (kind !== 'alias' || of === undefined || !sameDims(index.tensor(of).dims, dims)) return t
  return unaliased(index, of)
}

function permutation(step: PlanStep): readonly number[] | undefined {
  if (step.op !== 'Transpose') return undefined
  const perm = ints(step, 'perm')
  return perm.every((axis): axis is number => typeof axis === 'number') ? perm : undefined
}
