/**
 * `Transpose -> QMatMul -> Transpose  =>  QMatMul with perm_a, perm_b, perm_y`: the strides it reads and writes with, so
 * that heads of attention are never moved. The last axis of a and of the result stays where it is; b is packed from any
 * order that has one of its two last.
 */
import { intOf, intsOf } from '../../plan/attributes.js'
import { type Draft, type DraftIndex, sameDims } from '../../plan/draft.js'
import { operand, withOperand } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'
import { type Rewriting, rewriteSteps } from '../../plan/rewrite.js'

export function absorbTransposes(draft: Draft): Draft {
  return rewriteSteps(draft, (step, rewriting) => {
    if (step.op !== 'QMatMul') return undefined
    const { index } = rewriting
    return writeThrough(rewriting, readThrough(index, readThrough(index, step, 'a'), 'b'))
  })
}

function readThrough(index: DraftIndex, step: PlanStep, side: 'a' | 'b'): PlanStep {
  const transpose = index.producer(unaliased(index, operand(step, side)))
  const perm = transpose && permutation(transpose)
  if (!perm || intOf(step, `trans_${side}`, 0) === 1) return step
  const last = perm.length - 1
  if (perm[last] !== last && (side === 'a' || perm[last - 1] !== last)) return step
  const { perm: attribute } = transpose.attributes
  return {
    ...withOperand(step, side, operand(transpose, 'x')),
    attributes: { ...step.attributes, ...(attribute && { [`perm_${side}`]: attribute }) },
  }
}

function writeThrough(rewriting: Rewriting, step: PlanStep): PlanStep {
  const { index } = rewriting
  const made = step.outputs[0] as number
  const readers = index.isPinned(made) ? [] : index.readers(made)
  const transpose = readers.length === 1 ? readers[0] : undefined
  const perm = transpose && permutation(transpose)
  if (!perm || perm[perm.length - 1] !== perm.length - 1) return step
  if (unaliased(index, operand(transpose, 'x')) !== made) return step
  // A residual lies as the output: it would have to move.
  if (operand(step, 'residual') >= 0) return step
  rewriting.remove(transpose)
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
  const perm = intsOf(step, 'perm')
  return perm.every((axis): axis is number => typeof axis === 'number') ? perm : undefined
}
