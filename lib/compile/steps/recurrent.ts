/**
 * `DequantizeLinear(r) -> Recurrent  =>  QRecurrent(r)`: the weights of a state stay int8 in memory; the state itself is
 * float, and so is what it adds up.
 */
import { intOf } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { addAlias, addTensor, constantBytes, type Draft, isConstant } from '../../plan/draft.js'
import { operand, quantizedOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { floatConstant, isScale } from './params.js'

export function recurrentWeights(draft: Draft): Draft {
  return rewriteSteps(draft, (step, { index }) => {
    if (step.op !== 'Recurrent') return undefined
    const r = operand(step, 'r')
    const dequantize = index.producer(index.root(r))
    return dequantize?.op === 'DequantizeLinear' ? withLevels(draft, step, r, dequantize) : undefined
  })
}

function withLevels(draft: Draft, step: PlanStep, r: number, dequantize: PlanStep): PlanStep | undefined {
  const { tensor, scale, zeroPoint = -1 } = quantizedOperand(dequantize, 'x')
  const { dims } = draft.tensors[r] as PlanTensor
  if (draft.tensors[tensor]?.dtype !== 'int8' || !isConstant(draft, tensor)) return undefined
  if (zeroPoint >= 0 && !constantBytes(draft, zeroPoint)?.every((byte) => byte === 0)) return undefined
  const scales = scalesOfRows(draft, dequantize, scale, dims)
  if (scales === undefined) return undefined
  const inputs = {
    x: operand(step, 'x'),
    r: { tensor: addAlias(draft, tensor, dims), scale: scales, zeroPoint: -1 },
    b: operand(step, 'b'),
    lengths: operand(step, 'lengths'),
    h0: operand(step, 'h0'),
    c0: operand(step, 'c0'),
    p: operand(step, 'p'),
  }
  return { ...step, ...steps.QRecurrent(inputs), attributes: step.attributes }
}

/** One scale, or one for each row of [directions, rows, hidden]; undefined where they lie otherwise. */
function scalesOfRows(
  draft: Draft,
  dequantize: PlanStep,
  scale: number,
  [directions, rows]: PlanTensor['dims'],
): number | undefined {
  const values = floatConstant(draft, scale)
  if (!values?.every(isScale) || intOf(dequantize, 'block_size', 0) !== 0) return undefined
  if (values.length === 1) return addAlias(draft, scale, [])
  const { dims } = draft.tensors[quantizedOperand(dequantize, 'x').tensor] as PlanTensor
  const axis = intOf(dequantize, 'axis', 1)
  if (typeof directions !== 'number' || typeof rows !== 'number' || axis !== dims.length - 2) return undefined
  if (values.length === directions * rows) return scale
  if (values.length !== rows) return undefined
  // The rows of both directions have the same.
  const data = new Uint8Array(
    Float32Array.from({ length: directions * rows }, (_, i) => values[i % rows] as number).buffer,
  )
  return addTensor(draft, { name: '', dtype: 'float32', dims: [directions * rows], kind: 'constant', data })
}
