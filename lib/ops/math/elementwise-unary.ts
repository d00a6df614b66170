/** Functions of one tensor, element by element: ONNX's unary mathematics and activations, as the step Unary. */

import type { DType } from '../../graph/dtype.js'
import { type Dim, mul, sub } from '../../graph/expr.js'
import { floatAttribute, intAttribute, type Node, stringAttribute } from '../../graph/graph.js'
import { floats, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { elementwiseValues, inLayout, sameAsInput } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef, QuantizeRule } from '../core/opdef.js'
import { compareDims } from '../core/values.js'

interface UnaryFunction {
  readonly fns: readonly string[]
  readonly params?: readonly number[]
}

interface UnaryOp {
  readonly function: (node: Node) => UnaryFunction
  readonly quantize?: QuantizeRule
  /** Integer types are computed in their own type. */
  readonly integers?: boolean
  readonly result?: DType
  readonly domain?: OpDef['domain']
  readonly value?: (d: Dim) => Dim | undefined
}

const activation: QuantizeRule = { kind: 'activation', inputs: [0], unary: true }
const within = (...domain: [number, number]): QuantizeRule => ({
  kind: 'activation',
  inputs: [0],
  unary: true,
  domain,
})
const ranged = (low: number, high: number, domain?: readonly [number, number]): QuantizeRule => ({
  kind: 'activation',
  inputs: [0],
  range: [low, high],
  unary: true,
  domain,
})

const plain = (fn: string, more: Partial<UnaryOp> = {}): UnaryOp => ({
  function: () => ({ fns: [fn] }),
  ...more,
})

/** A function with attributes, given by name and default in the order of its parameters. */
function withAttributes(
  fn: string,
  attributes: readonly (readonly [string, number])[],
  more: Partial<UnaryOp> = {},
): UnaryOp {
  return {
    function: (node) => ({
      fns: [fn],
      params: attributes.map(([name, value]) => floatAttribute(node, name, value)),
    }),
    quantize: activation,
    ...more,
  }
}

const same = (d: Dim) => d

const OPS: Readonly<Record<string, UnaryOp>> = {
  Relu: plain('relu', { quantize: within(0, Number.POSITIVE_INFINITY), integers: true }),
  LeakyRelu: withAttributes('leakyrelu', [['alpha', 0.01]]),
  Elu: withAttributes('elu', [['alpha', 1]]),
  Selu: withAttributes('selu', [
    ['alpha', 1.6732631921768188],
    ['gamma', 1.0507010221481323],
  ]),
  Celu: withAttributes('celu', [['alpha', 1]]),
  ThresholdedRelu: withAttributes('thresholdedrelu', [['alpha', 1]]),
  HardSigmoid: withAttributes(
    'hardsigmoid',
    [
      ['alpha', 0.2],
      ['beta', 0.5],
    ],
    { quantize: ranged(0, 1) },
  ),
  HardSwish: plain('hardswish', { quantize: within(-3, Number.POSITIVE_INFINITY) }),
  Sigmoid: plain('sigmoid', { quantize: ranged(0, 1, [-7, 7]) }),
  Tanh: plain('tanh', { quantize: ranged(-1, 1, [-3.5, 3.5]) }),
  Softplus: plain('softplus', { quantize: activation }),
  Softsign: plain('softsign', { quantize: ranged(-1, 1) }),
  Mish: plain('mish', { quantize: activation }),
  Gelu: {
    function: (node) => ({
      fns: [stringAttribute(node, 'approximate', 'none') === 'tanh' ? 'gelu_tanh' : 'gelu'],
    }),
    quantize: activation,
  },
  Swish: withAttributes('swish', [['alpha', 1]]),
  Shrink: withAttributes(
    'shrink',
    [
      ['bias', 0],
      ['lambd', 0.5],
    ],
    { quantize: undefined },
  ),
  Erf: plain('erf', { quantize: ranged(-1, 1) }),
  Exp: plain('exp'),
  Log: plain('log'),
  Sqrt: plain('sqrt'),
  Reciprocal: plain('reciprocal'),
  Abs: plain('abs', {
    integers: true,
    value: (d) => {
      const sign = compareDims(d, 0)
      return sign === undefined ? undefined : sign < 0 ? mul(d, -1) : d
    },
  }),
  Neg: plain('neg', { integers: true, value: (d) => sub(0, d) }),
  Sign: plain('sign', { integers: true, value: (d) => compareDims(d, 0) }),
  Floor: plain('floor', { value: same }),
  Ceil: plain('ceil', { value: same }),
  Round: plain('round', { value: same }),
  Sin: plain('sin'),
  Cos: plain('cos'),
  Tan: plain('tan'),
  Asin: plain('asin'),
  Acos: plain('acos'),
  Atan: plain('atan'),
  Sinh: plain('sinh'),
  Cosh: plain('cosh'),
  Asinh: plain('asinh'),
  Acosh: plain('acosh'),
  Atanh: plain('atanh'),
  Not: plain('not', { integers: true, value: (d) => (typeof d === 'number' ? 1 - d : undefined) }),
  BitwiseNot: plain('bitnot', { integers: true }),
  IsNaN: plain('isnan', { result: 'bool' }),
  IsInf: {
    function: (node) => ({
      fns: ['isinf'],
      params: [2 * intAttribute(node, 'detect_positive', 1) + intAttribute(node, 'detect_negative', 1)],
    }),
    result: 'bool',
  },
}

const CONTRIB: Readonly<Record<string, UnaryOp>> = {
  Gelu: plain('gelu', { quantize: activation }),
  QuickGelu: withAttributes('swish', [['alpha', 1.702]]),
}

function infer(op: UnaryOp, context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const result = op.result ?? dtype
  if (op.value === undefined) return [{ dtype: result, shape }]
  const { value } = op
  const values = elementwiseValues(context, shape, result, ([d]) => (d === undefined ? undefined : value(d)))
  return [{ dtype: result, shape, values }]
}

function lower(op: UnaryOp, context: LowerContext): void {
  const { fns, params = [] } = op.function(context.node)
  const layout = context.sharedLayout()
  const attributes = { fns: texts(...fns), params: floats(...params) }
  if (op.integers) {
    context.step(steps.Unary({ x: context.input(0, layout) }, attributes), [context.output(0, layout)])
  } else if (op.result !== undefined) {
    context.step(steps.Unary({ x: floatInput(context, 0, layout) }, attributes), [context.output(0, layout)])
  } else {
    const x = floatInput(context, 0, layout)
    floatOutput(context, 0, layout, (y) => context.step(steps.Unary({ x }, attributes), [y]))
  }
}

function define(opType: string, op: UnaryOp, domain: OpDef['domain']): OpDef {
  return {
    opType,
    domain,
    inputs: [1, 1],
    outputs: [1, 1],
    infer: (context) => (op.value || op.result ? infer(op, context) : sameAsInput(context)),
    lower: (context) => lower(op, context),
    quantize: op.quantize,
    decompose: opType === 'Swish' ? decomposeSwish : undefined,
  }
}

/** Swish is of opset 24: older files get x * Sigmoid(alpha * x). */
function decomposeSwish(node: Node): readonly Node[] {
  const alpha = floatAttribute(node, 'alpha', 1)
  const [x, y] = [node.inputs[0] as string, node.outputs[0] as string]
  const gate = `${y}.gate`
  const base = { domain: '', attributes: {} }
  const product: Node = { ...base, name: node.name, opType: 'Mul', inputs: [x, gate], outputs: [y] }
  const sigmoid = (input: string): Node => ({
    ...base,
    name: `${node.name}.gate`,
    opType: 'Sigmoid',
    inputs: [input],
    outputs: [gate],
  })
  if (alpha === 1) return [sigmoid(x), product]
  const constant: Node = {
    name: `${node.name}.alpha`,
    opType: 'Constant',
    domain: '',
    inputs: [],
    outputs: [`${y}.alpha`],
    attributes: { value_float: { kind: 'float', value: alpha } },
  }
  const scaled: Node = {
    ...base,
    name: `${node.name}.scaled`,
    opType: 'Mul',
    inputs: [x, `${y}.alpha`],
    outputs: [`${y}.scaled`],
  }
  return [constant, scaled, sigmoid(`${y}.scaled`), product]
}

/** FastGelu (tanh form, its bias may be absent) and BiasGelu (erf form): Gelu of x + bias. */
function biasGelu(opType: string, fn: string, inputs: readonly [number, number]): OpDef {
  return {
    opType,
    domain: 'com.microsoft',
    inputs,
    outputs: [1, 1],
    infer: sameAsInput,
    lower: (context) => {
      const { dtype, shape } = context.inputType(0)
      const layout = context.sharedLayout()
      let x = context.input(0, layout)
      if (context.has(1)) {
        const sum = context.scratch(dtype, inLayout(shape, layout))
        context.step(steps.Binary({ a: x, b: context.broadcastInput(1, layout) }, { fn: texts('add') }), [
          sum,
        ])
        x = sum
      }
      context.step(steps.Unary({ x }, { fns: texts(fn), params: floats() }), [context.output(0, layout)])
    },
  }
}

export const ops: readonly OpDef[] = [
  biasGelu('FastGelu', 'gelu_tanh', [1, 2]),
  biasGelu('BiasGelu', 'gelu', [2, 2]),
  ...Object.entries(OPS).map(([opType, op]) => define(opType, op, '')),
  ...Object.entries(CONTRIB).map(([opType, op]) => define(opType, op, 'com.microsoft')),
]
