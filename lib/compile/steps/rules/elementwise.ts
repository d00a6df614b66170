/** Unary functions as tables; Add, Sub, Mul, Max, Min and PRelu of quantized tensors. */

import type { PlanAttribute } from '../../../plan/plan.js'
import { floatAttr, floats, text, textAttr, texts } from '../../draft.js'
import { boundsOf } from '../clamp.js'
import type { IntegerRule, IntegerStep, RuleContext } from '../integer.js'
import { scalarConstant } from '../params.js'

export const unary: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const { step, draft } = context
    const bounds = step.op === 'Clip' ? boundsOf(draft, step) : undefined
    if (step.op === 'Clip' && !bounds) return 'its bounds are not constants'
    const fns = bounds ? ['clip'] : texts(step, 'fns')
    const params = bounds ? [bounds.low, bounds.high] : floats(step, 'params')
    return table(context, 0, fns, params)
  },
}

const FNS = new Set(['add', 'sub', 'mul', 'max', 'min', 'prelu'])

export const binary: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const { step, target } = context
    const fn = text(step, 'fn')
    const a = context.view(0)
    const b = context.view(1)
    if (!target) return 'its output is not quantized'
    if (!a || !b) return scalarOperand(context, fn, a ? 1 : 0)
    if (!FNS.has(fn)) return `'${fn}' has no integer form`
    return {
      op: 'QBinary',
      inputs: [
        a.tensor,
        a.scale,
        a.zeroPoint,
        b.tensor,
        b.scale,
        b.zeroPoint,
        target.scale,
        target.zeroPoint,
      ],
      attributes: { fn: textAttr(fn), ...target.bounds },
    }
  },
}

/** One operand a float constant: a function of the other, so a table. */
function scalarOperand(context: RuleContext, fn: string, i: number): IntegerStep | string {
  const c = scalarConstant(context.draft, context.step.inputs[i] ?? -1)
  if (c === undefined) return `input ${i} is not quantized`
  const affine: Readonly<Record<string, readonly number[] | undefined>> = {
    add: [1, c],
    mul: [c, 0],
    sub: i === 1 ? [1, Math.fround(-c)] : [-1, c],
  }
  const params = affine[fn]
  if (params) return table(context, 1 - i, ['affine'], params)
  if (fn === 'max') return table(context, 1 - i, ['clip'], [c, Infinity])
  if (fn === 'min') return table(context, 1 - i, ['clip'], [-Infinity, c])
  if (fn === 'prelu' && i === 1) return table(context, 0, ['leakyrelu'], [c])
  if (fn === 'pow' && i === 1) return table(context, 0, ['pow'], [c])
  return `'${fn}' of a constant has no integer form`
}

function table(
  { view, target }: RuleContext,
  i: number,
  fns: readonly string[],
  params: readonly number[],
): IntegerStep | string {
  const x = view(i)
  if (!x || !target) return 'its input or output is not quantized'
  const attributes: Record<string, PlanAttribute> = { fns: textAttr(...fns), params: floatAttr(...params) }
  return {
    op: 'QUnary',
    inputs: [x.tensor, x.scale, x.zeroPoint, target.scale, target.zeroPoint],
    attributes: { ...attributes, ...target.bounds },
  }
}
