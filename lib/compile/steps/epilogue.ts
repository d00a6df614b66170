/**
 * `QConv or QMatMul -> QUnary  =>  with bounds, or with a table` and `-> QBinary add (r)  =>  with residual r`: what
 * costs nothing when it is done while the result is in registers. Each computes the bits of the separate steps.
 */
import { formatOf } from '../../graph/format.js'
import { intOf, ints, textOf } from '../../plan/attributes.js'
import { attributesOf, steps } from '../../plan/build.js'
import { addTensor, type Draft, sameDims } from '../../plan/draft.js'
import {
  hasOperand,
  operand,
  type Parameters,
  parameters,
  quantizedOperand,
  withOperand,
  withParameters,
  withQuantized,
} from '../../plan/operands.js'
import type { PlanAttribute, PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Rewriting, rewriteSteps } from '../../plan/rewrite.js'
import { boundsOf, levelsWithin } from './clamp.js'
import { writtenBy } from './output.js'
import { constantParameters, sameParameters } from './params.js'

export function fuseEpilogues(draft: Draft): Draft {
  let current = draft
  for (;;) {
    const next = rewriteSteps(current, fused)
    if (next === current) return current
    current = next
  }
}

function fused(step: PlanStep, rewriting: Rewriting): PlanStep | readonly PlanStep[] | undefined {
  if (step.op === 'QUnary') return withFunction(step, rewriting)
  return step.op === 'QBinary' && textOf(step, 'fn') === 'add' ? withResidual(step, rewriting) : undefined
}

/** The product that made tensor `made`, where nothing but `step` reads that and no table has been fused. */
function productOf(made: number, step: PlanStep, rewriting: Rewriting): PlanStep | undefined {
  const { index } = rewriting
  const product = index.producer(made)
  if (!product || !hasOperand(product.op, 'table') || rewriting.isGone(product)) return undefined
  return operand(product, 'table') >= 0 || index.soleReader(made) !== step ? undefined : product
}

/** Whether a product writes with these parameters. */
function writes(draft: Draft, product: PlanStep, p: Parameters): boolean {
  const written = writtenBy(product)
  return written !== undefined && sameParameters(draft, parameters(product, written.parameters), p)
}

function withFunction(step: PlanStep, rewriting: Rewriting): PlanStep | readonly PlanStep[] | undefined {
  const { draft } = rewriting
  const x = quantizedOperand(step, 'x')
  const y = parameters(step, 'y')
  const product = productOf(x.tensor, step, rewriting)
  if (!product || !writes(draft, product, x)) return undefined
  const out = draft.tensors[step.outputs[0] as number] as PlanTensor
  const made = draft.tensors[product.outputs[0] as number] as PlanTensor
  if (!sameDims(out.dims, made.dims)) return undefined
  const merged = { outputs: step.outputs, nodes: [...product.nodes, ...step.nodes] }
  const same = made.dtype === out.dtype && sameParameters(draft, x, y)
  const bounds = same ? bound(draft, product, step, y, out.dtype) : undefined
  // The phases of a transposed convolution have bounds, but no table.
  if (!bounds && product.op === 'QConvTranspose') return undefined
  rewriting.remove(product)
  if (bounds) return { ...product, ...merged, attributes: { ...product.attributes, ...bounds } }
  const table = addTensor(draft, {
    name: `${out.name}_table`,
    dtype: out.dtype,
    dims: [256],
    kind: 'scratch',
  })
  const unsigned = ints(made.dtype === 'uint8' ? 1 : 0)
  const makeTable = steps.QTable({ x, y }, { ...attributesOf('QUnary', step), unsigned })
  return [
    { ...makeTable, outputs: [table], nodes: [] },
    { ...withOperand(product, 'table', table), ...merged },
  ]
}

/** The attributes that make the product clamp as the step does, when clamping is all the step does. */
function bound(
  draft: Draft,
  product: PlanStep,
  step: PlanStep,
  y: Parameters,
  dtype: PlanTensor['dtype'],
): Record<string, PlanAttribute> | undefined {
  const limits = boundsOf(draft, step) ?? (identity(step) ? { low: -Infinity, high: Infinity } : undefined)
  const numbers = constantParameters(draft, y)
  const format = formatOf(dtype)
  const written = writtenBy(product)
  if (!limits || !numbers || !format || !written) return undefined
  const { qmin, qmax } = written
  const levels = levelsWithin(limits, numbers.scale, numbers.zeroPoint, format)
  const low = Math.max(intOf(product, qmin, format.qmin), intOf(step, 'qmin', format.qmin), levels.low)
  const high = Math.min(intOf(product, qmax, format.qmax), intOf(step, 'qmax', format.qmax), levels.high)
  return low <= high ? { [qmin]: ints(low), [qmax]: ints(high) } : undefined
}

function identity(step: PlanStep): boolean {
  return attributesOf('QUnary', step).fns?.value.length === 0
}

function withResidual(step: PlanStep, rewriting: Rewriting): PlanStep | undefined {
  const { draft } = rewriting
  const [a, b] = [quantizedOperand(step, 'a'), quantizedOperand(step, 'b')]
  const dimsOf = (t: number) => (draft.tensors[t] as PlanTensor).dims
  const outDims = dimsOf(step.outputs[0] as number)
  // The second operand first: of two convolutions the later one takes the sum.
  for (const [mine, other] of [
    [b, a],
    [a, b],
  ] as const) {
    const product = productOf(mine.tensor, step, rewriting)
    if (!product || mine.tensor === other.tensor || product.op === 'QConvTranspose') continue
    if (operand(product, 'residual') >= 0 || !writes(draft, product, mine)) continue
    if (![mine, other].every(({ tensor }) => sameDims(dimsOf(tensor), outDims))) continue
    rewriting.remove(product)
    const { qmin, qmax } = attributesOf('QBinary', step)
    const limits = { ...(qmin ? { sum_qmin: qmin } : {}), ...(qmax ? { sum_qmax: qmax } : {}) }
    return {
      ...withParameters(withQuantized(product, 'residual', other), 'sum', parameters(step, 'y')),
      outputs: step.outputs,
      nodes: [...product.nodes, ...step.nodes],
      attributes: { ...product.attributes, ...limits },
    }
  }
  return undefined
}
