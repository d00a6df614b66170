/** Operators whose result is a choice of positions: TopK, NonZero, Compress, OneHot, EyeLike. */

import { dtypeFromOnnx } from '../../graph/dtype.js'
import { type Dim, product } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { firstNumber } from '../../graph/tensor.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { axisAttribute, inLayout, layoutOfRank, needConstant, normalizeAxis } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'

function inferTopK(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const axis = axisAttribute(context, shape.length, -1)
  const k = context.valuesOrRead(1)[0] ?? context.fail('k to have one element')
  const size = shape[axis] as Dim
  if (typeof k === 'number' && (k < 0 || (typeof size === 'number' && k > size))) {
    context.fail(`k in 0..${typeof size === 'number' ? size : 'the size of the axis'}, got ${k}`)
  }
  const result = shape.map((d, a) => (a === axis ? k : d))
  return [
    { dtype, shape: result },
    { dtype: 'int64', shape: result },
  ]
}

function lowerTopK(context: LowerContext): void {
  const { dtype, shape } = context.inputType(0)
  const axis = axisAttribute(context, shape.length, -1)
  const layout = layoutOfRank(context, shape.length)
  const k = context.valuesOrRead(1)[0] as Dim
  const result = inLayout(
    shape.map((d, a) => (a === axis ? k : d)),
    layout,
  )
  const outputs = [0, 1].map((i) => {
    if (context.hasOutput(i)) return context.output(i, layout)
    return context.scratch(i === 0 ? dtype : 'int64', result)
  })
  const attributes = {
    axis: ints(layout.indexOf(axis)),
    k: ints(k),
    largest: ints(intAttribute(context.node, 'largest', 1)),
    sorted: ints(intAttribute(context.node, 'sorted', 1)),
  }
  context.step(steps.TopK({ x: context.input(0, layout) }, attributes), outputs)
}

function inferNonZero(context: InferContext): Inferred[] {
  return [{ dtype: 'int64', shape: [context.required(0).shape.length, context.provided(0, 1)] }]
}

/** Indices [rank, count] of the elements of x that are not zero; the count is read while running. */
function nonZero(context: LowerContext, x: number, count: Dim, indices: () => number): void {
  const counter = context.scratch('int64', [1], 'count')
  context.step(steps.NonZeroCount({ x }), [counter])
  context.readSymbol(count, counter, 0)
  context.step(steps.NonZero({ x }), [indices()])
}

/** The axis of Compress, or undefined where the input counts as flat. */
function compressAxis(context: InferContext | LowerContext, rank: number): number | undefined {
  const axis = intAttribute(context.node, 'axis')
  return axis === undefined ? undefined : normalizeAxis(context, axis, rank)
}

function inferCompress(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const condition = context.required(1)
  if (condition.dtype !== 'bool' || condition.shape.length !== 1)
    context.fail('a condition of type bool and rank 1')
  const axis = compressAxis(context, shape.length)
  const count = context.provided(0, axis ?? 0)
  return [{ dtype, shape: axis === undefined ? [count] : shape.map((d, a) => (a === axis ? count : d)) }]
}

function lowerCompress(context: LowerContext): void {
  const { shape } = context.inputType(0)
  const axis = compressAxis(context, shape.length) ?? 0
  const flat = intAttribute(context.node, 'axis') === undefined
  const count = context.outputType(0).shape[axis] as Dim
  let indices = -1
  nonZero(context, context.input(1), count, () => {
    indices = context.scratch('int64', [1, count], 'indices')
    return indices
  })
  const x = flat ? context.alias(context.input(0), [product(shape)]) : context.input(0)
  context.step(steps.Gather({ x, indices: context.alias(indices, [count]) }, { axis: ints(axis) }), [
    context.output(0),
  ])
}

/** The depth of OneHot may be given in any number type. */
function depthOf(context: InferContext): Dim {
  const number = firstNumber(context.constant(1))
  if (number !== undefined) return Math.trunc(number)
  const { dtype } = context.required(1)
  if (dtype !== 'int64' && dtype !== 'int32') return needConstant(context, 1, 'the depth')
  return context.valuesOrRead(1)[0] ?? context.fail('the depth to have one element')
}

function inferOneHot(context: InferContext): Inferred[] {
  const indices = context.required(0)
  const rank = indices.shape.length + 1
  const axis = axisAttribute(context, rank, -1)
  const shape = [...indices.shape.slice(0, axis), depthOf(context), ...indices.shape.slice(axis)]
  return [{ dtype: context.required(2).dtype, shape }]
}

function lowerOneHot(context: LowerContext): void {
  const { dtype, shape } = context.inputType(0)
  let indices = context.input(0)
  if (dtype !== 'int64' && dtype !== 'int32') {
    const converted = context.scratch('int64', shape)
    context.step(steps.Cast({ x: indices }), [converted], 'data')
    indices = converted
  }
  const axis = ints(axisAttribute(context, shape.length + 1, -1))
  context.step(steps.OneHot({ indices, values: context.input(2) }, { axis }), [context.output(0)])
}

function inferEyeLike(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  if (shape.length !== 2) context.fail(`an input of rank 2, got ${shape.length}`)
  const number = intAttribute(context.node, 'dtype')
  const wanted = number === undefined ? dtype : dtypeFromOnnx(number)
  return [
    { dtype: wanted ?? context.fail(`attribute "dtype" to be a type that Octavo has, got ${number}`), shape },
  ]
}

export const ops: readonly OpDef[] = [
  { opType: 'TopK', domain: '', inputs: [2, 2], outputs: [1, 2], infer: inferTopK, lower: lowerTopK },
  {
    opType: 'NonZero',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: inferNonZero,
    lower: (context) => {
      const count = context.outputType(0).shape[1] as Dim
      nonZero(context, context.input(0), count, () => context.output(0))
    },
  },
  {
    opType: 'Compress',
    domain: '',
    inputs: [2, 2],
    outputs: [1, 1],
    infer: inferCompress,
    lower: lowerCompress,
  },
  { opType: 'OneHot', domain: '', inputs: [3, 3], outputs: [1, 1], infer: inferOneHot, lower: lowerOneHot },
  {
    opType: 'EyeLike',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: inferEyeLike,
    lower: (context) => {
      context.step(steps.EyeLike({}, { k: ints(intAttribute(context.node, 'k', 0)) }), [context.output(0)])
    },
  },
]
