/**
 * Mul and Div of a product by a positive number, as the scale of the QuantizeLinear behind them:
 * `Q(x / c; s) = Q(x; s c)` but for the rounding of `s c`, as with every scale that requantization multiplies.
 * The division of attention's scores costs nothing then, and the product is quantized in its epilogue.
 */

import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { addTensor, type Draft, DraftIndex, sameDims, text } from '../draft.js'
import { isActivationType, scalarConstant } from './params.js'

const PRODUCTS = new Set(['Conv', 'ConvTranspose', 'MatMul'])

export function scaleIntoQuantize(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const replaced = new Map<PlanStep, PlanStep>()
  for (const step of draft.steps) {
    const scaled = step.op === 'QuantizeLinear' ? absorb(draft, index, step) : undefined
    if (scaled) replaced.set(step, scaled)
  }
  if (replaced.size === 0) return draft
  return { ...draft, steps: draft.steps.map((s) => replaced.get(s) ?? s) }
}

function absorb(draft: Draft, index: DraftIndex, quantize: PlanStep): PlanStep | undefined {
  const made = quantize.inputs[0] as number
  const scaling = index.producer(made)
  const scale = scalarConstant(draft, quantize.inputs[1] as number)
  if (scaling?.op !== 'Binary' || scale === undefined) return undefined
  if (!isActivationType(draft.tensors[quantize.outputs[0] as number]?.dtype)) return undefined
  const [source, factor] = operands(draft, scaling)
  const product = index.producer(source)
  if (!product || !PRODUCTS.has(product.op) || factor === undefined) return undefined
  if (index.soleReader(source) !== scaling || index.soleReader(made) !== quantize) return undefined
  if (!sameDims((draft.tensors[source] as PlanTensor).dims, (draft.tensors[made] as PlanTensor).dims))
    return undefined
  const value = Math.fround(scale / factor)
  if (!(value >= SMALLEST_NORMAL && value < Infinity)) return undefined
  const data = new Uint8Array(Float32Array.of(value).buffer)
  const combined = addTensor(draft, { name: '', dtype: 'float32', dims: [], kind: 'constant', data })
  return {
    ...quantize,
    inputs: [source, combined, ...quantize.inputs.slice(2)],
    nodes: [...scaling.nodes, ...quantize.nodes],
  }
}

const SMALLEST_NORMAL = 2 ** -126

/** The tensor that is scaled, and by what; no factor: the step is something else. */
function operands(draft: Draft, step: PlanStep): readonly [number, number | undefined] {
  const [a, b] = step.inputs as [number, number]
  const fn = text(step, 'fn')
  const right = scalarConstant(draft, b)
  if (right !== undefined && right > 0) {
    if (fn === 'mul') return [a, right]
    if (fn === 'div') return [a, 1 / right]
  }
  const left = scalarConstant(draft, a)
  return [b, fn === 'mul' && left !== undefined && left > 0 ? left : undefined]
}
