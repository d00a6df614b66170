/** Arithmetic on two or more tensors with broadcasting, as the step Binary. */

import { type DType, isFloat } from '../../graph/dtype.js'
import { add, type Dim, mod, mul, sub } from '../../graph/expr.js'
import { intAttribute, type Node, stringAttribute } from '../../graph/graph.js'
import { texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { scalar } from '../core/float32.js'
import { broadcastShapes, elementwiseValues, inLayout } from '../core/helpers.js'
import type { InferContext, Inferred, Layout, LowerContext, OpDef, QuantizeRule } from '../core/opdef.js'
import { isNonNegative, larger, smaller, truncDiv } from '../core/values.js'

type Value = (a: Dim, b: Dim) => Dim | undefined

const activation: QuantizeRule = { kind: 'activation' }

/** Types of all inputs, which must agree. */
function commonType(context: InferContext): { dtype: DType; shapes: (readonly Dim[])[] } {
  const types = Array.from({ length: context.inputs }, (_, i) => context.required(i))
  const dtype = types[0]?.dtype ?? context.fail('at least one input')
  const other = types.find((t) => t.dtype !== dtype)
  if (other) context.fail(`inputs of one type, got ${dtype} and ${other.dtype}`)
  return { dtype, shapes: types.map((t) => t.shape) }
}

export function inferBroadcast(context: InferContext, value?: Value, result?: DType): Inferred[] {
  const { dtype, shapes } = commonType(context)
  const shape = broadcastShapes(context, shapes)
  const type = result ?? dtype
  if (value === undefined) return [{ dtype: type, shape }]
  const values = elementwiseValues(context, shape, type, (elements) =>
    elements.reduce<Dim | undefined>(
      (a, b, i) => (i === 0 ? b : a === undefined ? undefined : value(a, b)),
      undefined,
    ),
  )
  return [{ dtype: type, shape, values }]
}

function binary(
  opType: string,
  fn: (node: Node, dtype: DType) => string,
  more: { value?: Value; quantize?: QuantizeRule } = {},
): OpDef {
  return {
    opType,
    domain: '',
    inputs: [2, 2],
    outputs: [1, 1],
    infer: (context) => inferBroadcast(context, more.value),
    lower: (context) => {
      const layout = context.sharedLayout()
      const inputs = { a: context.broadcastInput(0, layout), b: context.broadcastInput(1, layout) }
      const attributes = { fn: texts(fn(context.node, context.inputType(0).dtype)) }
      context.step(steps.Binary(inputs, attributes), [context.output(0, layout)])
    },
    quantize: more.quantize,
  }
}

/** Folds all inputs with a binary step; `divide`: the sum is divided by their number (Mean). */
function lowerVariadic(context: LowerContext, fn: string, divide: boolean): void {
  const layout = context.sharedLayout()
  const { dtype, shape } = context.outputType(0)
  const count = context.node.inputs.length
  if (count === 1) {
    context.outputAlias(0, context.input(0))
    return
  }
  let shapeSoFar = padded(context, 0, layout)
  let sum = context.broadcastInput(0, layout)
  for (let i = 1; i < count; i++) {
    const last = i === count - 1
    shapeSoFar = last ? [...shape] : broadcastShapes(context, [shapeSoFar, padded(context, i, layout)])
    const y =
      last && !divide ? context.output(0, layout) : context.scratch(dtype, inLayout(shapeSoFar, layout))
    context.step(steps.Binary({ a: sum, b: context.broadcastInput(i, layout) }, { fn: texts(fn) }), [y])
    sum = y
  }
  if (!divide) return
  const n = context.alias(scalar(context, count), Array<number>(layout.length).fill(1))
  context.step(steps.Binary({ a: sum, b: n }, { fn: texts('div') }), [context.output(0, layout)])
}

function padded(context: LowerContext, i: number, layout: Layout): Dim[] {
  const { shape } = context.inputType(i)
  return [...Array<Dim>(layout.length - shape.length).fill(1), ...shape]
}

function variadic(
  opType: string,
  fn: string,
  more: { value?: Value; quantize?: QuantizeRule; divide?: boolean } = {},
): OpDef {
  return {
    opType,
    domain: '',
    inputs: [1, Number.POSITIVE_INFINITY],
    outputs: [1, 1],
    infer: (context) => inferBroadcast(context, more.value),
    lower: (context) => lowerVariadic(context, fn, more.divide ?? false),
    quantize: more.quantize,
  }
}

/** The base decides the type of the result; a float exponent of an integer base is computed in float32. */
const pow: OpDef = {
  opType: 'Pow',
  domain: '',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (context) => {
    const base = context.required(0)
    return [{ dtype: base.dtype, shape: broadcastShapes(context, [base.shape, context.required(1).shape]) }]
  },
  lower: (context) => {
    const layout = context.sharedLayout()
    const { dtype, shape } = context.outputType(0)
    const exponentType = context.inputType(1).dtype
    const working: DType = isFloat(dtype) || !isFloat(exponentType) ? dtype : 'float32'
    const operand = (i: number) => {
      const tensor = context.broadcastInput(i, layout)
      if (context.inputType(i).dtype === working) return tensor
      const converted = context.scratch(working, inLayout(padded(context, i, layout), layout))
      context.step(steps.Cast({ x: tensor }), [converted])
      return converted
    }
    const inputs = { a: operand(0), b: operand(1) }
    const y =
      working === dtype ? context.output(0, layout) : context.scratch(working, inLayout(shape, layout))
    context.step(steps.Binary(inputs, { fn: texts('pow') }), [y])
    if (working !== dtype) context.step(steps.Cast({ x: y }), [context.output(0, layout)])
  },
}

const prelu: OpDef = {
  ...binary('PRelu', () => 'prelu', { quantize: { kind: 'activation', inputs: [0, 1] } }),
  infer: (context) => {
    const x = context.required(0)
    const result = broadcastShapes(context, [x.shape, context.required(1).shape])
    if (result.length !== x.shape.length)
      context.fail(`a slope that broadcasts to x of rank ${x.shape.length}`)
    return [{ dtype: x.dtype, shape: x.shape }]
  },
}

const bitShift: OpDef = {
  ...binary('BitShift', (node) => (stringAttribute(node, 'direction', '') === 'LEFT' ? 'shl' : 'shr')),
  infer: (context) => {
    const direction = stringAttribute(context.node, 'direction', '')
    if (direction !== 'LEFT' && direction !== 'RIGHT') {
      context.fail(`a direction, LEFT or RIGHT, got '${direction}'`)
    }
    return inferBroadcast(context)
  },
}

export const ops: readonly OpDef[] = [
  binary('Add', () => 'add', { value: add, quantize: activation }),
  binary('Sub', () => 'sub', { value: sub, quantize: activation }),
  binary('Mul', () => 'mul', { value: mul, quantize: activation }),
  binary('Div', () => 'div', { value: truncDiv }),
  binary('Mod', (node, dtype) => (intAttribute(node, 'fmod', 0) !== 0 || isFloat(dtype) ? 'fmod' : 'mod'), {
    value: (a, b) => (b !== 0 && isNonNegative(a) && isNonNegative(b) ? mod(a, b) : undefined),
  }),
  pow,
  prelu,
  variadic('Min', 'min', { value: smaller, quantize: activation }),
  variadic('Max', 'max', { value: larger, quantize: activation }),
  variadic('Sum', 'add', { value: add }),
  variadic('Mean', 'add', { divide: true }),
  binary('And', () => 'and', { value: (a, b) => flag(a, b, (x, y) => x && y) }),
  binary('Or', () => 'or', { value: (a, b) => flag(a, b, (x, y) => x || y) }),
  binary('Xor', () => 'xor', { value: (a, b) => flag(a, b, (x, y) => x !== y) }),
  binary('BitwiseAnd', () => 'bitand'),
  binary('BitwiseOr', () => 'bitor'),
  binary('BitwiseXor', () => 'bitxor'),
  bitShift,
]

function flag(a: Dim, b: Dim, decide: (x: boolean, y: boolean) => boolean): Dim | undefined {
  return typeof a === 'number' && typeof b === 'number' ? Number(decide(a !== 0, b !== 0)) : undefined
}
