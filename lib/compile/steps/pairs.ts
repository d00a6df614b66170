/** `DequantizeLinear -> QuantizeLinear  =>  nothing` where the parameters agree, else, of 8 bits, a table: `=>  QUnary`. */
import { floats, texts } from '../../plan/attributes.js'
import { attributesOf, steps } from '../../plan/build.js'
import { type Draft, sameDims } from '../../plan/draft.js'
import { operand, parameters } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { activationFormat, isPerTensor, sameParameters } from './params.js'
import { recordView, type Views, viewOf } from './views.js'

export function cancelPairs(draft: Draft): Draft {
  const views: Views = new Map()
  return rewriteSteps(draft, (step) => {
    if (step.op === 'DequantizeLinear') recordView(draft, step, views)
    return step.op === 'QuantizeLinear' ? requantized(draft, step, views) : undefined
  })
}

function requantized(draft: Draft, step: PlanStep, views: Views): PlanStep | readonly PlanStep[] | undefined {
  const y = parameters(step, 'y')
  const out = step.outputs[0] as number
  const target = draft.tensors[out] as PlanTensor
  const x = viewOf(draft, views, operand(step, 'x'))
  const format = activationFormat(draft, out)
  if (!x || !format || !isPerTensor(draft, y.scale)) return undefined
  const { qmin, qmax } = attributesOf('QuantizeLinear', step)
  const bounded = qmin !== undefined || qmax !== undefined
  if (!bounded && x.format.storage === target.dtype && sameParameters(draft, x, y)) {
    if (!sameDims((draft.tensors[x.tensor] as PlanTensor).dims, target.dims)) return undefined
    draft.tensors[out] = { ...target, kind: 'alias', of: x.tensor }
    return []
  }
  if (x.format.bits !== 8 || format.bits !== 8) return undefined
  const table = steps.QUnary({ x, y }, { fns: texts(), params: floats(), qmin, qmax })
  return { ...table, outputs: [out], nodes: step.nodes }
}
