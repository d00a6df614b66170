/** Changes of type, and clipping to bounds. */

import { DTYPES, type DType, dtypeFromOnnx } from '../../graph/dtype.js'
import { intAttribute } from '../../graph/graph.js'
import { firstNumber } from '../../graph/tensor.js'
import { floats, ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { sameAsInput } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'

function inferCast(context: InferContext, to: DType): Inferred[] {
  const { shape } = context.required(0)
  const values = context.values(0)
  if (DTYPES[to].bits === 0) context.fail('a cast to a number type, got string')
  return [
    {
      dtype: to,
      shape,
      values: to === 'bool' ? values?.map((v) => (typeof v === 'number' ? Number(v !== 0) : v)) : values,
    },
  ]
}

function lowerCast(context: LowerContext): void {
  const layout = context.sharedLayout()
  const saturate = ints(intAttribute(context.node, 'saturate', 1))
  if (context.inputType(0).dtype === context.outputType(0).dtype) context.outputAlias(0, context.input(0))
  else
    context.step(
      steps.Cast({ x: context.input(0, layout) }, { saturate }),
      [context.output(0, layout)],
      'data',
    )
}

function targetType(context: InferContext): DType {
  const number = intAttribute(context.node, 'to', 0)
  return dtypeFromOnnx(number) ?? context.fail(`attribute "to" to be a type that Octavo has, got ${number}`)
}

/** The same bytes as another type of the same width. */
const bitCast: OpDef = {
  opType: 'BitCast',
  domain: '',
  inputs: [1, 1],
  outputs: [1, 1],
  infer: (context) => {
    const { dtype, shape } = context.required(0)
    const to = targetType(context)
    if (DTYPES[to].bits !== DTYPES[dtype].bits) context.fail(`a type as wide as ${dtype}, got ${to}`)
    return [{ dtype: to, shape }]
  },
  lower: (context) => context.outputAlias(0, context.input(0)),
}

const LOWEST_FLOAT = -3.4028234663852886e38

/** Constant float bounds become parameters, which convolutions can take in; others stay inputs. */
function lowerClip(context: LowerContext): void {
  const layout = context.sharedLayout()
  const { dtype } = context.inputType(0)
  const bound = (i: number, open: number) => {
    if (!context.has(i)) return open
    return firstNumber(context.constant(i))
  }
  const low = bound(1, LOWEST_FLOAT)
  const high = bound(2, -LOWEST_FLOAT)
  const y = context.output(0, layout)
  if (dtype === 'float32' && low !== undefined && high !== undefined) {
    context.step(
      steps.Unary({ x: context.input(0, layout) }, { fns: texts('clip'), params: floats(low, high) }),
      [y],
    )
  } else {
    context.step(steps.Clip({ x: context.input(0, layout), min: context.input(1), max: context.input(2) }), [
      y,
    ])
  }
}

export const ops: readonly OpDef[] = [
  bitCast,
  {
    opType: 'Cast',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: (context) => inferCast(context, targetType(context)),
    lower: lowerCast,
  },
  {
    opType: 'CastLike',
    domain: '',
    inputs: [2, 2],
    outputs: [1, 1],
    infer: (context) => inferCast(context, context.required(1).dtype),
    lower: lowerCast,
  },
  {
    opType: 'Clip',
    domain: '',
    inputs: [1, 3],
    outputs: [1, 1],
    infer: sameAsInput,
    lower: lowerClip,
    quantize: { kind: 'activation', inputs: [0], unary: true },
  },
]
