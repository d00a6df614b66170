/** Comparisons and Where. */

import type { Dim } from '../../graph/expr.js'
import { texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { broadcastShapes, elementwiseValues } from '../core/helpers.js'
import type { LowerContext, OpDef } from '../core/opdef.js'
import { compareDims } from '../core/values.js'
import { inferBroadcast } from './elementwise-binary.js'

function comparison(opType: string, fn: string, decide: (sign: -1 | 0 | 1) => boolean): OpDef {
  const value = (a: Dim, b: Dim) => {
    const sign = compareDims(a, b)
    return sign === undefined ? undefined : Number(decide(sign))
  }
  return {
    opType,
    domain: '',
    inputs: [2, 2],
    outputs: [1, 1],
    infer: (context) => inferBroadcast(context, value, 'bool'),
    lower: (context) => {
      const layout = context.sharedLayout()
      const inputs = { a: context.broadcastInput(0, layout), b: context.broadcastInput(1, layout) }
      context.step(steps.Compare(inputs, { fn: texts(fn) }), [context.output(0, layout)])
    },
  }
}

const where: OpDef = {
  opType: 'Where',
  domain: '',
  inputs: [3, 3],
  outputs: [1, 1],
  infer: (context) => {
    const condition = context.required(0)
    const [a, b] = [context.required(1), context.required(2)]
    if (condition.dtype !== 'bool') context.fail(`a condition of type bool, got ${condition.dtype}`)
    if (a.dtype !== b.dtype) context.fail(`choices of one type, got ${a.dtype} and ${b.dtype}`)
    const shape = broadcastShapes(context, [condition.shape, a.shape, b.shape])
    const values = elementwiseValues(context, shape, a.dtype, ([c, x, y]) =>
      c === 1 ? x : c === 0 ? y : undefined,
    )
    return [{ dtype: a.dtype, shape, values }]
  },
  lower: (context: LowerContext) => {
    const layout = context.sharedLayout()
    const inputs = {
      condition: context.broadcastInput(0, layout),
      a: context.broadcastInput(1, layout),
      b: context.broadcastInput(2, layout),
    }
    context.step(steps.Where(inputs), [context.output(0, layout)])
  },
}

export const ops: readonly OpDef[] = [
  comparison('Equal', 'equal', (s) => s === 0),
  comparison('Less', 'less', (s) => s < 0),
  comparison('LessOrEqual', 'less_equal', (s) => s <= 0),
  comparison('Greater', 'greater', (s) => s > 0),
  comparison('GreaterOrEqual', 'greater_equal', (s) => s >= 0),
  where,
]
