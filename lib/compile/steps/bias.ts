/** `MatMul -> Binary add (constant vector along the columns)  =>  MatMul with bias` */

import { textOf } from '../../plan/attributes.js'
import { addAlias, type Draft, type DraftIndex } from '../../plan/draft.js'
import { operand, withOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Rewriting, rewriteSteps } from '../../plan/rewrite.js'

export function fuseBias(draft: Draft): Draft {
  return rewriteSteps(draft, (step, rewriting) => {
    if (step.op !== 'Binary' || textOf(step, 'fn') !== 'add') return undefined
    const [a, b] = [operand(step, 'a'), operand(step, 'b')]
    return withBias(rewriting, step, a, b) ?? withBias(rewriting, step, b, a)
  })
}

function withBias(rewriting: Rewriting, step: PlanStep, made: number, other: number): PlanStep | undefined {
  const { draft, index } = rewriting
  const product = index.producer(made)
  if (product?.op !== 'MatMul' || operand(product, 'bias') >= 0 || rewriting.isGone(product)) return undefined
  if (product.attributes.fn !== undefined || index.soleReader(made) !== step) return undefined
  if ((draft.tensors[made] as PlanTensor).dtype !== 'float32') return undefined
  const bias = columnVector(draft, index, other, made)
  if (bias === undefined) return undefined
  rewriting.remove(product)
  return {
    ...withOperand(product, 'bias', bias),
    outputs: step.outputs,
    nodes: [...product.nodes, ...step.nodes],
  }
}

/** `t` as a vector with one element per column of `like`, when it is a constant (maybe a quantized one). */
function columnVector(draft: Draft, index: DraftIndex, t: number, like: number): number | undefined {
  const columns = (draft.tensors[like] as PlanTensor).dims.at(-1)
  const dims = (draft.tensors[t] as PlanTensor).dims
  if (typeof columns !== 'number' || dims.length === 0 || dims.at(-1) !== columns) return undefined
  if (!dims.slice(0, -1).every((d) => d === 1)) return undefined
  const root = index.root(t)
  const producer = index.producer(root)
  if (producer?.op === 'DequantizeLinear') {
    const source = draft.tensors[index.root(operand(producer, 'x'))] as PlanTensor
    const rank1 = (draft.tensors[root] as PlanTensor).dims.length === 1
    return source.kind === 'constant' && source.dtype === 'int32' && rank1 ? root : undefined
  }
  if ((draft.tensors[root] as PlanTensor).kind !== 'constant') return undefined
  return addAlias(draft, t, [columns])
}
