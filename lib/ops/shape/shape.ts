/** Operators that change sizes and no element, that read sizes, and that make tensors of given sizes. */

import type { DType } from '../../graph/dtype.js'
import { add, ceilDiv, type Dim, mul, product, sub } from '../../graph/expr.js'
import { type ConstantTensor, intAttribute, type Node } from '../../graph/graph.js'
import { firstNumber, scalar, tensorFromNumbers } from '../../graph/tensor.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import {
  broadcastShapes,
  constantValues,
  identityLayout,
  needConstant,
  needSizes,
  normalizeAxes,
  normalizeAxis,
  reshapeDims,
  sameAsInput,
} from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { integersOf, larger, MAX_VALUES, negativeFlag } from '../core/values.js'

/** Output 0 has the bytes of input 0. */
function lowerAlias(context: LowerContext): void {
  context.outputAlias(0, context.alias(context.input(0), context.outputType(0).shape))
}

/** Inference drops nothing; only training at a ratio other than 0 would. */
function inferDropout(context: InferContext): Inferred[] {
  const zero = firstNumber(context.constant(1)) === 0
  if (context.values(2)?.[0] === 1 && !zero)
    context.fail('training_mode to be false: Octavo does not drop at random')
  return [...sameAsInput(context), { dtype: 'bool', shape: context.required(0).shape }]
}

/** Dropout's mask: nothing is dropped. */
function lowerDropout(context: LowerContext): void {
  context.outputAlias(0, context.input(0))
  if (context.hasOutput(1)) fill(context, 1, 'bool', 1)
}

function fill(context: LowerContext, i: number, dtype: DType, value: number): void {
  context.step(steps.Fill({ value: context.constantTensor(dtype, [], scalar(dtype, value).data) }), [
    context.output(i),
  ])
}

function reshaped(context: InferContext, shape: readonly Dim[]): Inferred[] {
  return [{ dtype: context.required(0).dtype, shape, values: context.values(0) }]
}

function inferSqueeze(context: InferContext): Inferred[] {
  const { shape } = context.required(0)
  const given = context.input(1) && constantValues(context, 1, 'the axes')
  if (given === undefined) {
    const open = shape.findIndex((d) => typeof d !== 'number')
    if (open >= 0) needSizes(context, `axes, as axis ${open} may or may not have size 1`, 0)
    return reshaped(
      context,
      shape.filter((d) => d !== 1),
    )
  }
  const axes = normalizeAxes(context, given, shape.length)
  const wrong = axes.find((a) => typeof shape[a] === 'number' && shape[a] !== 1)
  if (wrong !== undefined) context.fail(`axis ${wrong} to have size 1, got ${shape[wrong]}`)
  return reshaped(
    context,
    shape.filter((_, a) => !axes.includes(a)),
  )
}

function inferUnsqueeze(context: InferContext): Inferred[] {
  const { shape } = context.required(0)
  const given = constantValues(context, 1, 'the axes')
  const rank = shape.length + given.length
  const axes = normalizeAxes(context, given, rank)
  const rest = [...shape]
  return reshaped(
    context,
    identityLayout(rank).map((a) => (axes.includes(a) ? 1 : (rest.shift() as Dim))),
  )
}

function inferFlatten(context: InferContext): Inferred[] {
  const { shape } = context.required(0)
  const axis = flattenAxis(context, shape.length)
  return reshaped(context, [product(shape.slice(0, axis)), product(shape.slice(axis))])
}

/** The axis of Flatten may be the rank itself; negative ones count from the rank. */
function flattenAxis(context: InferContext, rank: number): number {
  const axis = intAttribute(context.node, 'axis', 1)
  return axis === rank ? rank : axis === 0 ? 0 : normalizeAxis(context, axis, rank)
}

/** Sizes of the axes start..end, as the attributes of Shape give them. */
function shapeRange(node: Node, shape: readonly Dim[]): readonly Dim[] {
  const rank = shape.length
  const clamp = (v: number) => Math.min(Math.max(v < 0 ? v + rank : v, 0), rank)
  const start = clamp(intAttribute(node, 'start', 0))
  return shape.slice(start, Math.max(start, clamp(intAttribute(node, 'end', rank))))
}

function inferShape(context: InferContext): Inferred[] {
  const values = shapeRange(context.node, context.required(0).shape)
  return [{ dtype: 'int64', shape: [values.length], values }]
}

function inferSize(context: InferContext): Inferred[] {
  return [{ dtype: 'int64', shape: [], values: [product(context.required(0).shape)] }]
}

function inferExpand(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const read = context.values(1) === undefined
  const wanted = context.valuesOrRead(1)
  const broadcast = broadcastShapes(context, [shape, wanted])
  // Sizes that are read while running may contradict the input: the step sees the larger size, and refuses it.
  const result = read
    ? broadcast.map((d, a) => larger(d, wanted[a - broadcast.length + wanted.length] ?? 1))
    : broadcast
  const values = context.values(0)
  const flat = values?.length === 1 && values[0] !== undefined ? repeated(values[0], result) : undefined
  return [{ dtype, shape: result, values: flat }]
}

/** As many copies of a value as these sizes have elements, where that is a small number. */
function repeated(value: Dim, shape: readonly Dim[]): Dim[] | undefined {
  const count = product(shape)
  return typeof count === 'number' && count <= MAX_VALUES ? Array<Dim>(count).fill(value) : undefined
}

function inferTile(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const repeats = context.valuesOrRead(1)
  if (repeats.length !== shape.length)
    context.fail(`${shape.length} repeats, one per axis, got ${repeats.length}`)
  return [{ dtype, shape: shape.map((d, a) => mul(d, repeats[a] as Dim)) }]
}

/** The tensor that a Constant node holds, whatever attribute says it. */
function constantOfNode(node: Node): ConstantTensor | undefined {
  const attributes = node.attributes
  if (attributes.value?.kind === 'tensor') return attributes.value.value
  const list =
    attributes.value_floats ?? attributes.value_ints ?? attributes.value_float ?? attributes.value_int
  if (list === undefined) return undefined
  const single = list.kind === 'float' || list.kind === 'int'
  const numbers = single ? [list.value] : list.kind === 'floats' || list.kind === 'ints' ? list.value : []
  const dtype = list.kind === 'float' || list.kind === 'floats' ? 'float32' : 'int64'
  return tensorFromNumbers(dtype, single ? [] : [numbers.length], numbers)
}

function inferConstant(context: InferContext): Inferred[] {
  const tensor = constantOfNode(context.node) ?? context.fail('a tensor or numbers as its value')
  return [{ dtype: tensor.dtype, shape: tensor.dims, values: integersOf(tensor) }]
}

function lowerConstant(context: LowerContext): void {
  const tensor = constantOfNode(context.node) ?? context.fail('a tensor or numbers as its value')
  context.outputAlias(0, context.constantTensor(tensor.dtype, tensor.dims, tensor.data))
}

/** The one element that ConstantOfShape repeats: float32 0 unless the node says otherwise. */
function fillValue(node: Node): ConstantTensor {
  const value = node.attributes.value
  return value?.kind === 'tensor' ? value.value : { dtype: 'float32', dims: [1], data: new Uint8Array(4) }
}

function inferConstantOfShape(context: InferContext): Inferred[] {
  const { dtype, data } = fillValue(context.node)
  const shape = context.valuesOrRead(0)
  const value = integersOf({ dtype, dims: [], data })?.[0]
  return [{ dtype, shape, values: value === undefined ? undefined : repeated(value, shape) }]
}

function lowerConstantOfShape(context: LowerContext): void {
  const { dtype, data } = fillValue(context.node)
  context.step(steps.Fill({ value: context.constantTensor(dtype, [], data) }), [context.output(0)])
}

/** The number of elements is ceil((limit - start) / delta), at least 0. */
function inferRange(context: InferContext): Inferred[] {
  const { dtype } = context.required(0)
  const isInteger = dtype === 'int64' || dtype === 'int32'
  const [start, limit, delta] = [0, 1, 2].map((i) =>
    isInteger ? context.valuesOrRead(i)[0] : (firstNumber(context.constant(i)) ?? context.values(i)?.[0]),
  )
  if (delta === 0) context.fail('a delta other than 0')
  if (!isInteger && typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number')
    return [{ dtype, shape: [Math.max(Math.ceil((limit - start) / delta), 0)] }]
  const parts = [start, limit, delta].map((part, i) => {
    if (part !== undefined && (typeof part !== 'number' || Number.isInteger(part))) return part
    return needConstant(context, i, ['start', 'limit', 'delta'][i] as string)
  }) as [Dim, Dim, Dim]
  const count = rangeCount(...parts)
  const small = isInteger && typeof count === 'number' && count <= MAX_VALUES
  const values = small ? Array.from({ length: count }, (_, i) => add(parts[0], mul(parts[2], i))) : undefined
  return [{ dtype, shape: [count], values }]
}

/** Of integers, of which delta is not 0: |delta| and the distance in its direction, as only divisors above 0 have a rounding everybody agrees on. */
function rangeCount(start: Dim, limit: Dim, delta: Dim): Dim {
  const sign = sub(1, mul(2, negativeFlag(delta)))
  return larger(ceilDiv(mul(sub(limit, start), sign), mul(delta, sign)), 0)
}

const unary = { inputs: [1, 1], outputs: [1, 1], domain: '' } as const

export const ops: readonly OpDef[] = [
  {
    ...unary,
    opType: 'Identity',
    infer: (context) => [{ ...context.required(0), values: context.values(0) }],
    lower: (context) => {
      const layout = context.sharedLayout()
      context.outputAlias(0, context.input(0, layout), layout)
    },
    quantize: { kind: 'shared' },
  },
  {
    ...unary,
    opType: 'Dropout',
    inputs: [1, 3],
    outputs: [1, 2],
    infer: inferDropout,
    lower: lowerDropout,
    quantize: { kind: 'shared' },
  },
  {
    ...unary,
    opType: 'Reshape',
    inputs: [2, 2],
    infer: (context) => {
      const wanted = context.valuesOrRead(1)
      const allowZero = intAttribute(context.node, 'allowzero', 0) !== 0
      return reshaped(context, reshapeDims(context, context.required(0).shape, wanted, allowZero))
    },
    lower: lowerAlias,
    quantize: { kind: 'shared' },
  },
  { ...unary, opType: 'Flatten', infer: inferFlatten, lower: lowerAlias, quantize: { kind: 'shared' } },
  {
    ...unary,
    opType: 'Squeeze',
    inputs: [1, 2],
    infer: inferSqueeze,
    lower: lowerAlias,
    quantize: { kind: 'shared' },
  },
  {
    ...unary,
    opType: 'Unsqueeze',
    inputs: [2, 2],
    infer: inferUnsqueeze,
    lower: lowerAlias,
    quantize: { kind: 'shared' },
  },
  {
    ...unary,
    opType: 'Shape',
    infer: inferShape,
    lower: lowerValues((c) => shapeRange(c.node, c.inputType(0).shape)),
  },
  { ...unary, opType: 'Size', infer: inferSize, lower: lowerValues((c) => [product(c.inputType(0).shape)]) },
  {
    ...unary,
    opType: 'Expand',
    inputs: [2, 2],
    infer: inferExpand,
    lower: (context) => context.step(steps.Expand({ x: context.input(0) }), [context.output(0)]),
    quantize: { kind: 'shared' },
  },
  {
    ...unary,
    opType: 'Tile',
    inputs: [2, 2],
    infer: inferTile,
    lower: (context) => context.step(steps.Tile({ x: context.input(0) }), [context.output(0)]),
    quantize: { kind: 'shared' },
  },
  { ...unary, opType: 'Constant', inputs: [0, 0], infer: inferConstant, lower: lowerConstant },
  { ...unary, opType: 'ConstantOfShape', infer: inferConstantOfShape, lower: lowerConstantOfShape },
  {
    ...unary,
    opType: 'Range',
    inputs: [3, 3],
    infer: inferRange,
    lower: (context) =>
      context.step(steps.Range({ start: context.input(0), delta: context.input(2) }), [context.output(0)]),
  },
]

/** For the rare shape with more elements than inference keeps. */
function lowerValues(values: (context: LowerContext) => readonly Dim[]): (context: LowerContext) => void {
  return (context) =>
    context.step(steps.Values({}, { values: ints(...values(context)) }), [context.output(0)])
}
