/** Float tensors that a DequantizeLinear made, as the tensors of 8 or 16 bits that they stand for. */
import type { Quantized } from '../../graph/format.js'
import { addAlias, type Draft } from '../../plan/draft.js'
import { quantizedOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { activationView, scalarConstant } from './params.js'

/** By float tensor. */
export type Views = Map<number, Quantized<number>>

/** Notes what a DequantizeLinear (per tensor, of 8 or 16 bits) makes. */
export function recordView(draft: Draft, step: PlanStep, views: Views): void {
  const out = step.outputs[0] as number
  if ((draft.tensors[out] as PlanTensor).dtype !== 'float32') return
  const view = activationView(draft, quantizedOperand(step, 'x'))
  // Of weights scales may be 0 or negative: no step on levels keeps their order.
  if (view && (scalarConstant(draft, view.scale) ?? 1) > 0) views.set(out, view)
}

/** The quantized tensor that a float one stands for: through aliases, with the sizes of `t`. */
export function viewOf(
  draft: Draft,
  views: ReadonlyMap<number, Quantized<number>>,
  t: number,
): Quantized<number> | undefined {
  const direct = views.get(t)
  if (direct) return direct
  const tensor = draft.tensors[t]
  if (tensor?.kind !== 'alias' || tensor.of === undefined) return undefined
  const source = viewOf(draft, views, tensor.of)
  return source && { ...source, tensor: addAlias(draft, source.tensor, tensor.dims) }
}
