/**
 * `DequantizeLinear(table, scales of rows) -> Gather  =>  Gather(table), Gather(scales) -> DequantizeLinear`: a table of
 * embeddings stays in bytes, and only the rows that are picked become floats.
 */
import { intOf, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { addAlias, addTensor, type Draft, isConstant } from '../../plan/draft.js'
import { operand, quantizedOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'

export function sinkRows(draft: Draft): Draft {
  return rewriteSteps(draft, (step, { index }) => {
    const table = step.op === 'Gather' ? index.producer(operand(step, 'x')) : undefined
    return table?.op === 'DequantizeLinear' ? gatherRows(draft, step, table) : undefined
  })
}

function gatherRows(draft: Draft, gather: PlanStep, dequantize: PlanStep): PlanStep[] | undefined {
  const { tensor, scale, zeroPoint = -1 } = quantizedOperand(dequantize, 'x')
  const { dtype, dims } = draft.tensors[tensor] as PlanTensor
  const [rows, columns] = dims
  if (dims.length !== 2 || typeof columns !== 'number' || columns === 0) return undefined
  // A Gather moves whole bytes; what is computed while running is not worth two of them.
  if ((dtype !== 'int8' && dtype !== 'uint8') || !isConstant(draft, tensor)) return undefined
  if (intOf(dequantize, 'block_size', 0) !== 0 || intOf(dequantize, 'axis', 1) !== 0) return undefined
  if (draft.tensors[scale]?.dims[0] !== rows || intOf(gather, 'axis', 0) !== 0) return undefined

  const out = draft.tensors[gather.outputs[0] as number] as PlanTensor
  const picked = (from: number, width: number, name: string): readonly [number, PlanStep] => {
    const { dtype } = draft.tensors[from] as PlanTensor
    const x = addAlias(draft, from, [rows as number, width])
    const sizes = [...out.dims.slice(0, -1), width]
    const y = addTensor(draft, { name: `${out.name}_${name}`, dtype, dims: sizes, kind: 'scratch' })
    const step = steps.Gather({ x, indices: operand(gather, 'indices') }, { axis: ints(0) })
    return [y, { ...step, outputs: [y], nodes: [] }]
  }
  const [levels, gatherLevels] = picked(tensor, columns, 'levels')
  const [scales, gatherScales] = picked(scale, 1, 'scale')
  const zero = zeroPoint < 0 ? undefined : picked(zeroPoint, 1, 'zero_point')
  const x = { tensor: levels, scale: scales, zeroPoint: zero ? zero[0] : -1 }
  const attributes = { axis: ints(out.dims.length - 1), block_size: ints(columns) }
  return [
    { ...gatherLevels, nodes: gather.nodes },
    gatherScales,
    ...(zero ? [zero[1]] : []),
    { ...steps.DequantizeLinear({ x }, attributes), outputs: gather.outputs, nodes: dequantize.nodes },
  ]
}
