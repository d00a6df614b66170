/** Steps with one quantized input and a range of their own: pools, means, Softmax, Concat, linear Resize. */
import type { Quantized } from '../../../graph/format.js'
import { intOf, textOf } from '../../../plan/attributes.js'
import { attributesOf, type BuiltStep, steps } from '../../../plan/build.js'
import { operand, type QuantizedOperand } from '../../../plan/operands.js'
import type { IntegerRule, RuleContext, RuleTarget } from '../rule.js'

/** Has `build` make the step of a quantized x and a quantized output. */
function oneInput(
  { step, view, target }: RuleContext,
  build: (x: Quantized<number>, y: RuleTarget) => BuiltStep,
): BuiltStep | string {
  const x = view(operand(step, 'x'))
  if (!x) return 'its input is not quantized'
  return target ? build(x, target) : 'its output is not quantized'
}

export const averagePool: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const fn = textOf(context.step, 'fn')
    if (fn !== 'average' && fn !== 'max') return `a pool of kind '${fn}' has no integer form`
    const window = attributesOf('Pool', context.step)
    return oneInput(context, (x, y) => steps.QPool({ x, y }, { ...window, ...y.bounds }))
  },
}

export const reduce: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const { fn, axes } = attributesOf('Reduce', context.step)
    switch (fn?.value[0]) {
      case 'mean':
        return oneInput(context, (x, y) => steps.QReduceMean({ x, y }, { axes, ...y.bounds }))
      case 'max':
      case 'min':
        return oneInput(context, (x, y) => steps.QReduceExtreme({ x, y }, { fn, axes, ...y.bounds }))
      default:
        return `Reduce '${fn?.value[0] ?? ''}' has no integer form`
    }
  },
}

export const softmax: IntegerRule = {
  floatOutput: false,
  apply(context) {
    if (intOf(context.step, 'log', 0) !== 0) return 'LogSoftmax has no integer form'
    const { axis } = attributesOf('Softmax', context.step)
    return oneInput(context, (x, y) => steps.QSoftmax({ x, y }, { axis, ...y.bounds }))
  },
}

export const resize: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const fn = attributesOf('Resize', context.step).fn
    if (fn?.value[0] !== 'linear') return `Resize '${fn?.value[0] ?? ''}' has no integer form`
    const attributes = { ...attributesOf('Resize', context.step), fn }
    return oneInput(context, (x, y) => steps.QResize({ x, y }, { ...attributes, ...y.bounds }))
  },
}

export const concat: IntegerRule = {
  floatOutput: false,
  apply({ step, view, target }) {
    if (!target) return 'its output is not quantized'
    const x: QuantizedOperand[] = []
    for (let i = 0; i < step.inputs.length; ++i) {
      const part = view(step.inputs[i] as number)
      if (!part) return `input ${i} is not quantized`
      x.push(part)
    }
    const { axis } = attributesOf('Concat', step)
    return steps.QConcat({ y: target, x }, { axis, ...target.bounds })
  },
}
