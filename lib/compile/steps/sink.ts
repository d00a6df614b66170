/**
 * `DequantizeLinear(x) -> Transpose  =>  Transpose(x) -> DequantizeLinear`, for every step that only moves elements: it
 * moves bytes, and the steps after it see quantized inputs.
 */
import { type Quantized, quantizeNumber } from '../../graph/format.js'
import { attributesOf, steps } from '../../plan/build.js'
import { addTensor, type Draft } from '../../plan/draft.js'
import { fillPosition, movedInputs } from '../../plan/moves.js'
import { withInputs } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { addZeroPoint, constantParameters, isActivation, sameParameters, scalarConstant } from './params.js'
import { recordView, type Views, viewOf } from './views.js'

/** DequantizeLinear (per tensor, of 8 or 16 bits) sinks below movers whose data inputs all have the same parameters. */
export function sinkDequantize(draft: Draft): Draft {
  const views: Views = new Map()
  return rewriteSteps(draft, (step) => {
    if (step.op === 'DequantizeLinear') {
      recordView(draft, step, views)
      return undefined
    }
    const moved = movedInputs(step)
    return moved.length === 0 ? undefined : moveQuantized(draft, step, moved, views)
  })
}

function moveQuantized(
  draft: Draft,
  step: PlanStep,
  positions: readonly number[],
  views: Views,
): PlanStep[] | undefined {
  const sources = positions.map((i) => viewOf(draft, views, step.inputs[i] as number))
  const first = sources[0]
  if (!first || !sources.every((v) => v && v.format === first.format && sameParameters(draft, v, first)))
    return undefined
  let moving = step
  positions.forEach((i, k) => {
    moving = withInputs(moving, i, [(sources[k] as Quantized<number>).tensor])
  })
  const filled = withQuantizedFill(draft, moving, first)
  if (!filled) return undefined
  const outputs = step.outputs.map((t) => {
    const out = draft.tensors[t] as PlanTensor
    const dtype = first.format.storage
    return addTensor(draft, { name: `${out.name}_quantized`, dtype, dims: out.dims, kind: 'scratch' })
  })
  const dequantize = step.outputs.map((t, i): PlanStep => {
    const tensor = outputs[i] as number
    views.set(t, { ...first, tensor })
    return { ...steps.DequantizeLinear({ x: { ...first, tensor } }), outputs: [t], nodes: [] }
  })
  return [{ ...quantizedMover(filled, first), outputs }, ...dequantize]
}

/** Pools and Resize have integer steps of their own; with equal parameters on both sides they only move. */
function quantizedMover(step: PlanStep, { scale, zeroPoint, format }: Quantized<number>): PlanStep {
  if (step.op === 'Pool' && format.bits === 8) {
    const x = { tensor: step.inputs[0] as number, scale, zeroPoint }
    return { ...step, ...steps.QPool({ x, y: { scale, zeroPoint } }, attributesOf('Pool', step)) }
  }
  return { ...step, kind: step.op === 'Resize' || step.op === 'Pool' ? 'integer' : 'data' }
}

/** The number that the step writes beside what it moves, quantized as that; undefined: it is not constant. */
function withQuantizedFill(draft: Draft, step: PlanStep, like: Quantized<number>): PlanStep | undefined {
  const position = fillPosition(step)
  if (position < 0) return step
  const given = step.inputs[position] ?? -1
  const value = given < 0 ? 0 : scalarConstant(draft, given)
  const numbers = constantParameters(draft, like)
  const storage = draft.tensors[like.tensor]?.dtype
  if (value === undefined || !numbers || !isActivation(storage)) return undefined
  const level = quantizeNumber(value, numbers.scale, numbers.zeroPoint, like.format)
  return withInputs(step, position, [addZeroPoint(draft, storage, level)])
}
