/**
 * Softmax, LogSoftmax and Hardmax of opsets before 13: the axes from `axis` on count as one. Domain `octavo`; written
 * back to a file as Shape, Flatten, the operator, Reshape.
 */

import { product } from '../../graph/expr.js'
import type { Attribute, Node } from '../../graph/graph.js'
import { intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { sameAsInput } from '../core/helpers.js'
import type { LowerContext, OpDef } from '../core/opdef.js'

const NAMES = ['Softmax', 'LogSoftmax', 'Hardmax'] as const

function axisOf(node: Node, rank: number): number {
  const axis = intAttribute(node, 'axis', 1)
  return axis < 0 ? axis + rank : axis
}

function lower(context: LowerContext, log: number): void {
  const { dtype, shape } = context.inputType(0)
  const axis = axisOf(context.node, shape.length)
  const rows = [product(shape.slice(0, axis)), product(shape.slice(axis))]
  const result = context.scratch(dtype, rows)
  context.step(
    steps.Softmax({ x: context.alias(context.input(0), rows) }, { axis: ints(1), log: ints(log) }),
    [result],
  )
  context.outputAlias(0, result)
}

function decompose(node: Node, opType: string): Node[] {
  const [x = '', y = ''] = [node.inputs[0], node.outputs[0]]
  const int = (value: number): Attribute => ({ kind: 'int', value })
  const make = (
    part: string,
    type: string,
    inputs: string[],
    outputs: string[],
    attributes: Node['attributes'] = {},
  ): Node => ({
    name: `${node.name}/${part}`,
    opType: type,
    domain: '',
    inputs,
    outputs,
    attributes,
  })
  const [shape, rows, result] = [`${y}/shape`, `${y}/rows`, `${y}/result`]
  return [
    make('shape', 'Shape', [x], [shape]),
    make('rows', 'Flatten', [x], [rows], { axis: int(intAttribute(node, 'axis', 1)) }),
    make('row', opType, [rows], [result], { axis: int(-1) }),
    make('back', 'Reshape', [result, shape], [y]),
  ]
}

export const ops: readonly OpDef[] = NAMES.map((opType) => ({
  opType: `Flattened${opType}`,
  domain: 'octavo',
  inputs: [1, 1],
  outputs: [1, 1],
  infer: (context) => {
    const rank = context.required(0).shape.length
    const axis = axisOf(context.node, rank)
    if (axis < 0 || axis > rank)
      context.fail(`axis in [-${rank}, ${rank}], got ${intAttribute(context.node, 'axis', 1)}`)
    return sameAsInput(context)
  },
  ...(opType === 'Hardmax'
    ? {}
    : { lower: (context: LowerContext) => lower(context, opType === 'LogSoftmax' ? 1 : 0) }),
  ...(opType === 'Softmax' ? { quantize: { kind: 'activation', inputs: [0], range: [0, 1] } } : {}),
  decompose: (node) => decompose(node, opType),
}))
