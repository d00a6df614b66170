/** Steps with one quantized input and a range of their own: pools, means, Softmax, Concat, linear Resize. */

import type { PlanAttribute } from '../../../plan/plan.js'
import { int, text } from '../../draft.js'
import type { IntegerRule, IntegerStep, RuleContext } from '../integer.js'

function oneInput(
  context: RuleContext,
  op: string,
  attributes: Record<string, PlanAttribute>,
): IntegerStep | string {
  const x = context.view(0)
  const y = context.target
  if (!x) return 'its input is not quantized'
  if (!y) return 'its output is not quantized'
  return {
    op,
    inputs: [x.tensor, x.scale, x.zeroPoint, y.scale, y.zeroPoint],
    attributes: { ...attributes, ...y.bounds },
  }
}

export const averagePool: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const fn = text(context.step, 'fn')
    if (fn !== 'average' && fn !== 'max') return `a pool of kind '${fn}' has no integer form`
    return oneInput(context, 'QPool', context.step.attributes)
  },
}

export const reduceMean: IntegerRule = {
  floatOutput: false,
  apply(context) {
    if (text(context.step, 'fn') !== 'mean') return `Reduce '${text(context.step, 'fn')}' has no integer form`
    const { axes } = context.step.attributes
    return oneInput(context, 'QReduceMean', axes ? { axes } : {})
  },
}

export const softmax: IntegerRule = {
  floatOutput: false,
  apply(context) {
    if (int(context.step, 'log', 0) !== 0) return 'LogSoftmax has no integer form'
    const { axis } = context.step.attributes
    return oneInput(context, 'QSoftmax', axis ? { axis } : {})
  },
}

export const resize: IntegerRule = {
  floatOutput: false,
  apply(context) {
    if (text(context.step, 'fn') !== 'linear')
      return `Resize '${text(context.step, 'fn')}' has no integer form`
    return oneInput(context, 'QResize', context.step.attributes)
  },
}

export const concat: IntegerRule = {
  floatOutput: false,
  apply({ step, view, target }) {
    if (!target) return 'its output is not quantized'
    const inputs: number[] = [target.scale, target.zeroPoint]
    for (let i = 0; i < step.inputs.length; ++i) {
      const x = view(i)
      if (!x) return `input ${i} is not quantized`
      inputs.push(x.tensor, x.scale, x.zeroPoint)
    }
    const { axis } = step.attributes
    return { op: 'QConcat', inputs, attributes: { ...(axis ? { axis } : {}), ...target.bounds } }
  },
}
