/**
 * `product -> Binary mul or div (positive number) -> QuantizeLinear  =>  product -> QuantizeLinear with another scale`:
 * `Q(x / c; s) = Q(x; s c)` but for the rounding of `s c`, as with every scale that requantization multiplies.
 * The division of attention's scores costs nothing then, and the product is quantized in its epilogue.
 */
import { textOf } from '../../plan/attributes.js'
import { addTensor, type Draft, type DraftIndex, sameDims } from '../../plan/draft.js'
import { operand, parameters, withOperand, withParameters } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { isActivation, isScale, scalarConstant } from './params.js'

const PRODUCTS = new Set(['Conv', 'ConvTranspose', 'MatMul'])

export function scaleIntoQuantize(draft: Draft): Draft {
  return rewriteSteps(draft, (step, { index }) =>
    step.op === 'QuantizeLinear' ? withScale(draft, index, step) : undefined,
  )
}

function withScale(draft: Draft, index: DraftIndex, quantize: PlanStep): PlanStep | undefined {
  const made = operand(quantize, 'x')
  const y = parameters(quantize, 'y')
  const scaling = index.producer(made)
  const scale = scalarConstant(draft, y.scale)
  if (scaling?.op !== 'Binary' || scale === undefined) return undefined
  const out = draft.tensors[quantize.outputs[0] as number] as PlanTensor
  if (!isActivation(out.dtype)) return undefined
  const [source, factor] = factorOf(draft, scaling)
  const product = index.producer(source)
  if (!product || !PRODUCTS.has(product.op) || factor === undefined) return undefined
  if (index.soleReader(source) !== scaling || index.soleReader(made) !== quantize) return undefined
  if (!sameDims((draft.tensors[source] as PlanTensor).dims, (draft.tensors[made] as PlanTensor).dims))
    return undefined
  const value = Math.fround(scale / factor)
  if (!isScale(value)) return undefined
  const data = new Uint8Array(Float32Array.of(value).buffer)
  const combined = addTensor(draft, { name: '', dtype: 'float32', dims: [], kind: 'constant', data })
  const rescaled = withParameters(quantize, 'y', { scale: combined, zeroPoint: y.zeroPoint })
  return { ...withOperand(rescaled, 'x', source), nodes: [...scaling.nodes, ...quantize.nodes] }
}

/** The tensor that is scaled, and by what; no factor: the step is something else. */
function factorOf(draft: Draft, step: PlanStep): readonly [number, number | undefined] {
  const [a, b] = [operand(step, 'a'), operand(step, 'b')]
  const fn = textOf(step, 'fn')
  const right = scalarConstant(draft, b)
  if (right !== undefined && right > 0) {
    if (fn === 'mul') return [a, right]
    if (fn === 'div') return [a, 1 / right]
  }
  const left = scalarConstant(draft, a)
  return [b, fn === 'mul' && left !== undefined && left > 0 ? left : undefined]
}
