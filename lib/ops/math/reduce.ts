/** Reductions along axes. */

import type { DType } from '../../graph/dtype.js'
import { add, type Dim, mul } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import {
  axisAttribute,
  constantValues,
  identityLayout,
  inLayout,
  layoutOfRank,
  normalizeAxes,
  sameAsInput,
} from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef, QuantizeRule } from '../core/opdef.js'
import { larger, smaller } from '../core/values.js'

/** The reduced axes; undefined where the operator does nothing (`noop_with_empty_axes`). */
function reducedAxes(context: InferContext | LowerContext, rank: number): number[] | undefined {
  const given = context.node.inputs[1] ? constantValues(context, 1, 'the axes') : []
  if (given.length > 0) return normalizeAxes(context, given, rank)
  return intAttribute(context.node, 'noop_with_empty_axes', 0) !== 0 ? undefined : [...identityLayout(rank)]
}

function reducedShape(shape: readonly Dim[], axes: readonly number[], keep: boolean): Dim[] {
  return keep ? shape.map((d, a) => (axes.includes(a) ? 1 : d)) : shape.filter((_, a) => !axes.includes(a))
}

const keeps = (context: InferContext | LowerContext) => intAttribute(context.node, 'keepdims', 1) !== 0

function inferReduce(context: InferContext, combine?: (a: Dim, b: Dim) => Dim): Inferred[] {
  const { dtype, shape } = context.required(0)
  const axes = reducedAxes(context, shape.length)
  const values = context.values(0)
  if (axes === undefined) return [{ dtype, shape, values }]
  const all =
    values && values.length > 0 && combine && axes.length === shape.length
      ? [values.reduce(combine)]
      : undefined
  return [{ dtype, shape: reducedShape(shape, axes, keeps(context)), values: all }]
}

/** Types that Reduce computes in themselves; others go through float32. */
const OWN_TYPE: readonly DType[] = [
  'int32',
  'int64',
  'uint8',
  'int8',
  'uint32',
  'uint64',
  'float32',
  'float64',
]

function lowerReduce(context: LowerContext, fn: string): void {
  const { dtype, shape } = context.inputType(0)
  const axes = reducedAxes(context, shape.length)
  if (axes === undefined) {
    context.outputAlias(0, context.input(0))
    return
  }
  const keep = keeps(context)
  const layout = keep ? layoutOfRank(context, shape.length) : identityLayout(shape.length)
  const attributes = {
    fn: texts(fn),
    axes: ints(...axes.map((a) => layout.indexOf(a)).sort((a, b) => a - b)),
  }
  if (dtype === 'bool') {
    // max and min of bool are those of its bytes.
    const x = context.alias(context.input(0, layout), inLayout(shape, layout), 'uint8')
    const y = context.scratch('uint8', inLayout(reducedShape(shape, axes, true), layout))
    context.step(steps.Reduce({ x }, attributes), [y])
    const result = keep ? layout : identityLayout(context.outputType(0).shape.length)
    context.outputAlias(0, context.alias(y, inLayout(context.outputType(0).shape, result), 'bool'), result)
    return
  }
  if (OWN_TYPE.includes(dtype)) {
    context.step(steps.Reduce({ x: context.input(0, layout) }, attributes), [
      context.output(0, keep ? layout : undefined),
    ])
    return
  }
  const x = floatInput(context, 0, layout)
  floatOutput(context, 0, keep ? layout : undefined, (y) =>
    context.step(steps.Reduce({ x }, attributes), [y]),
  )
}

function reduction(
  opType: string,
  fn: string,
  combine?: (a: Dim, b: Dim) => Dim,
  quantize?: QuantizeRule,
): OpDef {
  return {
    opType,
    domain: '',
    inputs: [1, 2],
    outputs: [1, 1],
    infer: (context) => inferReduce(context, combine),
    lower: (context) => lowerReduce(context, fn),
    quantize,
  }
}

function argument(opType: string, fn: string): OpDef {
  return {
    opType,
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: (context) => {
      const { shape } = context.required(0)
      const axis = axisAttribute(context, shape.length, 0)
      return [{ dtype: 'int64', shape: reducedShape(shape, [axis], keeps(context)) }]
    },
    lower: (context) => {
      const { shape } = context.inputType(0)
      const axis = axisAttribute(context, shape.length, 0)
      const keep = keeps(context)
      const layout = keep ? layoutOfRank(context, shape.length) : identityLayout(shape.length)
      const attributes = {
        fn: texts(fn),
        axis: ints(layout.indexOf(axis)),
        last: ints(intAttribute(context.node, 'select_last_index', 0)),
      }
      context.step(steps.ArgReduce({ x: context.input(0, layout) }, attributes), [
        context.output(0, keep ? layout : undefined),
      ])
    },
  }
}

const cumulative = (opType: string, fn: string): OpDef => ({
  opType,
  domain: '',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: sameAsInput,
  lower: (context) => {
    const attributes = {
      fn: texts(fn),
      exclusive: ints(intAttribute(context.node, 'exclusive', 0)),
      reverse: ints(intAttribute(context.node, 'reverse', 0)),
    }
    context.step(steps.Cumulative({ x: context.input(0), axis: context.input(1) }, attributes), [
      context.output(0),
    ])
  },
})

export const ops: readonly OpDef[] = [
  reduction('ReduceSum', 'sum', add),
  reduction('ReduceMean', 'mean', undefined, { kind: 'activation', inputs: [0] }),
  reduction('ReduceMax', 'max', larger),
  reduction('ReduceMin', 'min', smaller),
  reduction('ReduceProd', 'prod', mul),
  reduction('ReduceL1', 'l1'),
  reduction('ReduceL2', 'l2'),
  reduction('ReduceLogSum', 'logsum'),
  reduction('ReduceLogSumExp', 'logsumexp'),
  reduction('ReduceSumSquare', 'sumsquare'),
  argument('ArgMax', 'max'),
  argument('ArgMin', 'min'),
  cumulative('CumSum', 'sum'),
  cumulative('CumProd', 'prod'),
]
