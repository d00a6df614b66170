/** Softmax, LogSoftmax and Hardmax along one axis. */

import { tensorFromNumbers } from '../../graph/tensor.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { axisAttribute, identityLayout, layoutOfRank, sameAsInput } from '../core/helpers.js'
import type { LowerContext, OpDef } from '../core/opdef.js'

function lowerSoftmax(context: LowerContext, log: number): void {
  const rank = context.inputType(0).shape.length
  const axis = axisAttribute(context, rank, -1)
  const layout = layoutOfRank(context, rank)
  const attributes = { axis: ints(layout.indexOf(axis)), log: ints(log) }
  const x = floatInput(context, 0, layout)
  floatOutput(context, 0, layout, (y) => context.step(steps.Softmax({ x }, attributes), [y]))
}

/** One where the first of the largest elements is. */
function lowerHardmax(context: LowerContext): void {
  const { dtype, shape } = context.inputType(0)
  const axis = axisAttribute(context, shape.length, -1)
  const index = context.scratch(
    'int64',
    identityLayout(shape.length).flatMap((a) => (a === axis ? [] : [shape[a] ?? 1])),
  )
  context.step(
    steps.ArgReduce({ x: context.input(0) }, { fn: texts('max'), axis: ints(axis), last: ints(0) }),
    [index],
  )
  const values = context.constantTensor(dtype, [2], tensorFromNumbers(dtype, [2], [0, 1]).data)
  context.step(steps.OneHot({ indices: index, values }, { axis: ints(axis) }), [context.output(0)])
}

const common = {
  domain: '',
  inputs: [1, 1],
  outputs: [1, 1],
  infer: (context: Parameters<OpDef['infer']>[0]) => {
    axisAttribute(context, context.required(0).shape.length, -1)
    return sameAsInput(context)
  },
} as const

export const ops: readonly OpDef[] = [
  {
    ...common,
    opType: 'Softmax',
    lower: (context) => lowerSoftmax(context, 0),
    quantize: { kind: 'activation', inputs: [0], range: [0, 1] },
  },
  { ...common, opType: 'LogSoftmax', lower: (context) => lowerSoftmax(context, 1) },
  { ...common, opType: 'Hardmax', lower: lowerHardmax },
]
