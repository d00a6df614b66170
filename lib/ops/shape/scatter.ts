/** Elements written at indices. */

import { stringAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { axisAttribute } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'

const REDUCTIONS = ['none', 'add', 'mul', 'max', 'min']

function inferScatter(context: InferContext): Inferred[] {
  const data = context.required(0)
  const indices = context.required(1)
  const updates = context.required(2)
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32') {
    context.fail(`indices of type int64 or int32, got ${indices.dtype}`)
  }
  if (updates.dtype !== data.dtype)
    context.fail(`updates of the type of the data, ${data.dtype}, got ${updates.dtype}`)
  const reduction = stringAttribute(context.node, 'reduction', 'none')
  if (!REDUCTIONS.includes(reduction)) {
    context.fail(`attribute "reduction" to be one of ${REDUCTIONS.join(', ')}, got ${reduction}`)
  }
  return [data]
}

function reduction(context: LowerContext) {
  return texts(stringAttribute(context.node, 'reduction', 'none'))
}

function inputs(context: LowerContext) {
  return { x: context.input(0), indices: context.input(1), updates: context.input(2) }
}

const common = { domain: '', inputs: [3, 3], outputs: [1, 1], infer: inferScatter } as const

export const ops: readonly OpDef[] = [
  {
    ...common,
    opType: 'ScatterElements',
    lower: (context) => {
      const axis = ints(axisAttribute(context, context.inputType(0).shape.length, 0))
      const attributes = { axis, reduction: reduction(context) }
      context.step(steps.ScatterElements(inputs(context), attributes), [context.output(0)])
    },
  },
  {
    ...common,
    opType: 'ScatterND',
    lower: (context) => {
      const step = steps.ScatterND(inputs(context), { reduction: reduction(context) })
      context.step(step, [context.output(0)])
    },
  },
]
