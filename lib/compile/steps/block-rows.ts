/**
 * `DequantizeLinear(x) -> Gather  =>  GatherBlocks(x)`, where x is a constant of 8, 4 or 2 bits: a table stays as it is in the
 * file, and only what is picked becomes float.
 */
import { formatOf } from '../../graph/format.js'
import { intOf, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { type Draft, type DraftIndex, isConstant, sameDims } from '../../plan/draft.js'
import { operand, quantizedOperand } from '../../plan/operands.js'
import type { PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { blockMatrix, dequantizedMatrix } from './blocks.js'

export function blockRows(draft: Draft): Draft {
  return rewriteSteps(draft, (step, { index }) => {
    if (step.op !== 'Gather') return undefined
    const table = tableOf(draft, index, operand(step, 'x'))
    if (table === undefined) return undefined
    if (typeof table === 'string') return { ...step, reason: table }
    const { axis, size, ...levels } = table
    const attributes = {
      axis: ints(intOf(step, 'axis', 0)),
      quantize_axis: ints(axis),
      block_size: ints(size),
    }
    return { ...step, ...steps.GatherBlocks({ ...levels, indices: operand(step, 'indices') }, attributes) }
  })
}

interface BlockTable {
  readonly x: number
  readonly scale: number
  readonly zero_point: number
  readonly axis: number
  readonly size: number
}

function tableOf(draft: Draft, index: DraftIndex, t: number): BlockTable | string | undefined {
  const { dims } = index.tensor(t)
  const producer = index.producer(index.root(t))
  if (producer?.op !== 'DequantizeLinear') return undefined
  const { tensor, scale, zeroPoint = -1 } = quantizedOperand(producer, 'x')
  const levels = draft.tensors[tensor] as PlanTensor
  if (!isConstant(draft, tensor) || (formatOf(levels.dtype)?.bits ?? 32) > 8) return undefined
  const size = intOf(producer, 'block_size', 0)
  if (size > 0 && sameDims(dims, levels.dims) && isConstant(draft, scale))
    return { x: tensor, scale, zero_point: zeroPoint, axis: intOf(producer, 'axis', 1), size }
  const source = dims.length === 2 ? dequantizedMatrix(draft, index, t) : undefined
  if (!source || source.transposed) return undefined
  const matrix = blockMatrix(draft, producer, source.rows, source.columns)
  if (typeof matrix === 'string') return matrix
  const { scale: scales, zeroPoint: zeros } = matrix
  return { x: matrix.tensor, scale: scales, zero_point: zeros, axis: matrix.axis, size: matrix.size }
}
