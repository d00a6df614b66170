/**
 * `QMatMul or QConv int32 -> Cast -> Binary mul scales (-> Binary add bias)  =>  the product in f32`, with the scales of
 * its activations and of its columns: what dynamic quantization states as several steps. The product multiplies in the
 * order of the file (docs/steps.md), so no bit changes.
 */
import { textOf, texts } from '../../plan/attributes.js'
import { addAlias, type Draft, type DraftIndex, sameDims } from '../../plan/draft.js'
import { operand, quantizedOperand, withOperand, withQuantized } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { findScales, type Scales } from './factors.js'
import { floatConstant } from './params.js'

export function scaleRows(draft: Draft): Draft {
  return rewriteSteps(draft, (cast, rewriting) => {
    const product = cast.op === 'Cast' ? productBefore(draft, rewriting.index, cast) : undefined
    const scales = product && findScales(draft, rewriting.index, product, cast)
    if (!scales) return undefined
    const { scaled, steps } = withBias(
      draft,
      rewriting.index,
      withScales(draft, product, scales),
      scales.steps,
    )
    // In the place of the last step: scales may be computed after the product.
    const last = steps[steps.length - 1] as PlanStep
    for (const step of [product, cast, ...steps]) if (step !== last) rewriting.remove(step)
    const nodes = [product, cast, ...steps].flatMap((step) => step.nodes)
    rewriting.replace(last, [{ ...scaled, outputs: last.outputs, nodes }])
    return undefined
  })
}

/** The product whose sums, scaled by 1 and read by nothing else, a step makes real. */
function productBefore(draft: Draft, index: DraftIndex, cast: PlanStep): PlanStep | undefined {
  const sums = operand(cast, 'x')
  const product = index.producer(sums)
  if ((product?.op !== 'QMatMul' && product?.op !== 'QConv') || index.soleReader(sums) !== cast)
    return undefined
  const types = [sums, cast.outputs[0] as number].map((t) => draft.tensors[t]?.dtype)
  if (types[0] !== 'int32' || types[1] !== 'float32' || operand(product, 'bias') >= 0) return undefined
  const [a, b] = operandsOf(product)
  const plain = [a.scale, b.scale].every((t) => floatConstant(draft, t)?.every((value) => value === 1))
  return plain ? product : undefined
}

function operandsOf(product: PlanStep) {
  const names = product.op === 'QMatMul' ? (['a', 'b'] as const) : (['x', 'w'] as const)
  return [quantizedOperand(product, names[0]), quantizedOperand(product, names[1]), names] as const
}

function withScales(draft: Draft, product: PlanStep, { a, b, order }: Scales): PlanStep {
  const [left, right, [x, w]] = operandsOf(product)
  const scaled = withQuantized(withQuantized(product, x, { ...left, scale: a ?? left.scale }), w, {
    ...right,
    scale: b ?? right.scale,
  })
  // What the step does where nothing is said: one scale meets that of the column, those of rows meet the sums first.
  const axes = (t = -1) => (t < 0 ? 0 : (draft.tensors[t] as PlanTensor).dims.length)
  const rows = axes(a ?? left.scale) > 0 || axes(left.zeroPoint) > 0
  if (order === (rows ? 'a_first' : 'product')) return scaled
  return { ...scaled, attributes: { ...scaled.attributes, scale_order: texts(order) } }
}

/** The product, and all steps after the Cast, with the constant vector that a last step adds to its columns. */
function withBias(draft: Draft, index: DraftIndex, scaled: PlanStep, steps: readonly PlanStep[]) {
  const made = (steps[steps.length - 1] as PlanStep).outputs[0] as number
  const sum = index.soleReader(made)
  if (sum?.op !== 'Binary' || textOf(sum, 'fn') !== 'add') return { scaled, steps }
  const [l, r] = [operand(sum, 'a'), operand(sum, 'b')]
  const other = l === made ? r : l
  const columns = (draft.tensors[made] as PlanTensor).dims.at(-1)
  const dims = (draft.tensors[other] as PlanTensor).dims
  const vector = dims.at(-1) === columns && dims.slice(0, -1).every((d) => d === 1) && dims.length > 0
  const same = sameDims(
    (draft.tensors[sum.outputs[0] as number] as PlanTensor).dims,
    (draft.tensors[made] as PlanTensor).dims,
  )
  if (columns === undefined || !vector || !same || !floatConstant(draft, other)) return { scaled, steps }
  return { scaled: withOperand(scaled, 'bias', addAlias(draft, other, [columns])), steps: [...steps, sum] }
}
