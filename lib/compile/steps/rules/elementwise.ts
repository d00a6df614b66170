/** Unary functions as tables; Add, Sub, Mul, Max, Min and PRelu of quantized tensors. */
import { floats, floatsOf, textOf, texts, textsOf } from '../../../plan/attributes.js'
import { type BuiltStep, steps } from '../../../plan/build.js'
import { operand } from '../../../plan/operands.js'
import { STEPS } from '../../../plan/steps/index.js'
import { boundsOf } from '../clamp.js'
import { scalarConstant } from '../params.js'
import type { IntegerRule, RuleContext } from '../rule.js'

export const unary: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const { step, draft } = context
    const bounds = step.op === 'Clip' ? boundsOf(draft, step) : undefined
    if (step.op === 'Clip' && !bounds) return 'its bounds are not constants'
    const fns = bounds ? ['clip'] : textsOf(step, 'fns')
    const params = bounds ? [bounds.low, bounds.high] : floatsOf(step, 'params')
    return table(context, operand(step, 'x'), fns, params)
  },
}

const FNS: readonly string[] = STEPS.QBinary.attributes.fn.values

export const binary: IntegerRule = {
  floatOutput: false,
  apply(context) {
    const { step, target, view } = context
    const fn = textOf(step, 'fn')
    const [left, right] = [operand(step, 'a'), operand(step, 'b')]
    const [a, b] = [view(left), view(right)]
    if (!target) return 'its output is not quantized'
    if (!a) return withNumber(context, fn, 0, left, right)
    if (!b) return withNumber(context, fn, 1, right, left)
    if (!FNS.includes(fn)) return `'${fn}' has no integer form`
    return steps.QBinary({ a, b, y: target }, { fn: texts(fn), ...target.bounds })
  },
}

/** Operand `i`, tensor `t`, a float constant: a function of the other one, so a table. */
function withNumber(
  context: RuleContext,
  fn: string,
  i: number,
  t: number,
  other: number,
): BuiltStep | string {
  const c = scalarConstant(context.draft, t)
  if (c === undefined) return `input ${i} is not quantized`
  const affine: Readonly<Record<string, readonly number[] | undefined>> = {
    add: [1, c],
    mul: [c, 0],
    sub: i === 1 ? [1, Math.fround(-c)] : [-1, c],
  }
  const params = affine[fn]
  if (params) return table(context, other, ['affine'], params)
  if (fn === 'max') return table(context, other, ['clip'], [c, Infinity])
  if (fn === 'min') return table(context, other, ['clip'], [-Infinity, c])
  if (fn === 'prelu' && i === 1) return table(context, other, ['leakyrelu'], [c])
  if (fn === 'pow' && i === 1) return table(context, other, ['pow'], [c])
  return `'${fn}' of a constant has no integer form`
}

function table(
  { view, target }: RuleContext,
  t: number,
  fns: readonly string[],
  params: readonly number[],
): BuiltStep | string {
  const x = view(t)
  if (!x || !target) return 'its input or output is not quantized'
  const attributes = { fns: texts(...fns), params: floats(...params) }
  return steps.QUnary({ x, y: target }, { ...attributes, ...target.bounds })
}
