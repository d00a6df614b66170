/**
 * `QMatMul int32 -> Cast -> Binary mul [..., m, 1] -> Binary mul [n]  =>  QMatMul f32`, with scales of its rows and of
 * its columns: what dynamic quantization of every row states as four steps. The product multiplies in the same order
 * (docs/steps.md), so no bit changes.
 */
import { textOf } from '../../plan/attributes.js'
import { type Draft, type DraftIndex, sameDims } from '../../plan/draft.js'
import { operand, quantizedOperand, withQuantized } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { floatConstant, isScale } from './params.js'

export function scaleRows(draft: Draft): Draft {
  return rewriteSteps(draft, (last, rewriting) => {
    const chain = last.op === 'Binary' ? chainOf(draft, rewriting.index, last) : undefined
    if (!chain) return undefined
    // In the place of the last step: scales of rows may be computed after the product.
    for (const step of chain.before) rewriting.remove(step)
    return chain.scaled
  })
}

interface Chain {
  readonly before: readonly PlanStep[]
  readonly scaled: PlanStep
}

/** The steps that end in this one, and the product that stands for all of them. */
function chainOf(draft: Draft, index: DraftIndex, last: PlanStep): Chain | undefined {
  const byColumn = scaledBy(draft, index, last, 'Binary')
  const byRow = byColumn && scaledBy(draft, index, byColumn.source, 'Cast')
  if (!byRow) return undefined
  const product = soleSource(index, byRow.source, operand(byRow.source, 'x'))
  if (product?.op !== 'QMatMul') return undefined
  const sums = draft.tensors[product.outputs[0] as number] as PlanTensor
  const real = draft.tensors[byRow.source.outputs[0] as number] as PlanTensor
  if (sums.dtype !== 'int32' || real.dtype !== 'float32' || operand(product, 'bias') >= 0) return undefined

  const [a, b] = [quantizedOperand(product, 'a'), quantizedOperand(product, 'b')]
  const rows = sums.dims.slice(0, -1)
  // As many rows as a has: none of its matrices meets several of b.
  const ofRows = draft.tensors[byRow.factor] as PlanTensor
  const own = (draft.tensors[a.tensor] as PlanTensor).dims.slice(0, -1)
  if (!sameDims(own, rows) || !sameDims(ofRows.dims, [...rows, 1])) return undefined
  if (!areColumns(draft, byColumn.factor, sums)) return undefined

  const withRows = withQuantized(product, 'a', { ...a, scale: byRow.factor })
  const scaled = withQuantized(withRows, 'b', { ...b, scale: byColumn.factor })
  const before = [product, byRow.source, byColumn.source]
  const nodes = [...before, last].flatMap((step) => step.nodes)
  return { before, scaled: { ...scaled, outputs: last.outputs, nodes } }
}

/** A step that only `reader` reads. */
function soleSource(index: DraftIndex, reader: PlanStep, t: number): PlanStep | undefined {
  const source = index.producer(t)
  return source?.outputs[0] === t && index.soleReader(t) === reader ? source : undefined
}

/** What a multiplication scales, the output of a step of this kind and of the same size, and by which tensor. */
function scaledBy(
  draft: Draft,
  index: DraftIndex,
  step: PlanStep,
  op: 'Binary' | 'Cast',
): { readonly source: PlanStep; readonly factor: number } | undefined {
  if (textOf(step, 'fn') !== 'mul') return undefined
  const dims = draft.tensors[step.outputs[0] as number]?.dims ?? []
  const sides = [operand(step, 'a'), operand(step, 'b')] as const
  for (const [t, factor] of [sides, [sides[1], sides[0]]] as const) {
    const source = t === factor ? undefined : soleSource(index, step, t)
    const fits = draft.tensors[factor]?.dtype === 'float32' && sameDims(draft.tensors[t]?.dims ?? [], dims)
    if (source?.op === op && fits) return { source, factor }
  }
  return undefined
}

/** One constant for each column, which the step takes as scales: finite, positive, not subnormal. */
function areColumns(draft: Draft, t: number, sums: PlanTensor): boolean {
  const { dims } = draft.tensors[t] as PlanTensor
  if (!dims.slice(0, -1).every((d) => d === 1) || !sameDims(dims.slice(-1), sums.dims.slice(-1))) return false
  return floatConstant(draft, t)?.every(isScale) ?? false
}
