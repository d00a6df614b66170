/** Operators that reorder elements: Transpose is only a change of layout; the block ones are a reshape around one. */

import { type Dim, floorDiv, mul } from '../../graph/expr.js'
import { intAttribute, intsAttribute, stringAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { asNumbers, identityLayout, sameAsInput } from './helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from './opdef.js'
import { stridedValues, stridesOf } from './values.js'

function permutation(context: InferContext | LowerContext, rank: number): readonly number[] {
  const perm = intsAttribute(context.node, 'perm') ?? [...identityLayout(rank)].reverse()
  const normal = perm.map((a) => (a < 0 ? a + rank : a))
  if (normal.length !== rank || new Set(normal).size !== rank || normal.some((a) => !(a >= 0 && a < rank))) {
    context.fail(`attribute "perm" to be a permutation of ${rank} axes, got [${perm.join(', ')}]`)
  }
  return normal
}

function inferTranspose(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const perm = permutation(context, shape.length)
  const result = perm.map((a) => shape[a] as Dim)
  const [values, sizes, sizesBefore] = [context.values(0), asNumbers(result), asNumbers(shape)]
  if (values === undefined || sizes === undefined || sizesBefore === undefined)
    return [{ dtype, shape: result }]
  const strides = stridesOf(sizesBefore)
  return [
    {
      dtype,
      shape: result,
      values: stridedValues(
        values,
        sizes,
        perm.map((a) => strides[a] as number),
      ),
    },
  ]
}

/** Output axis j is input axis perm[j], so the bytes of x in layout L are those of the output in perm^-1 of L. */
function lowerTranspose(context: LowerContext): void {
  const perm = permutation(context, context.inputType(0).shape.length)
  const layout = context.sharedLayout()
  context.outputAlias(
    0,
    context.input(0, layout),
    layout.map((axis) => perm.indexOf(axis)),
  )
}

interface Blocks {
  /** Sizes of x with every block axis of its own. */
  readonly split: readonly Dim[]
  readonly perm: readonly number[]
}

function depthToSpace(context: InferContext | LowerContext, shape: readonly Dim[]): Blocks {
  const block = intAttribute(context.node, 'blocksize', 0)
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim]
  const depth = floorDiv(c, block * block)
  return stringAttribute(context.node, 'mode', 'DCR') === 'CRD'
    ? { split: [n, depth, block, block, h, w], perm: [0, 1, 4, 2, 5, 3] }
    : { split: [n, block, block, depth, h, w], perm: [0, 3, 4, 1, 5, 2] }
}

function spaceToDepth(context: InferContext | LowerContext, shape: readonly Dim[]): Blocks {
  const block = intAttribute(context.node, 'blocksize', 0)
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim]
  return { split: [n, c, floorDiv(h, block), block, floorDiv(w, block), block], perm: [0, 3, 5, 1, 2, 4] }
}

function blockSize(
  context: InferContext,
  shape: readonly Dim[],
  divided: readonly number[],
  by: (block: number) => number,
): number {
  const block = intAttribute(context.node, 'blocksize', 0)
  if (shape.length !== 4) context.fail(`an input [N, C, H, W], got rank ${shape.length}`)
  if (!(block > 0)) context.fail(`attribute "blocksize" above 0, got ${block}`)
  for (const axis of divided) {
    const size = shape[axis] as Dim
    if (typeof size === 'number' && size % by(block) !== 0) {
      context.fail(`axis ${axis} to be a multiple of ${by(block)}, got ${size}`)
    }
  }
  return block
}

function lowerBlocks(context: LowerContext, { split, perm }: Blocks): void {
  const { dtype } = context.inputType(0)
  const x = context.alias(context.input(0), split)
  const y = context.scratch(
    dtype,
    perm.map((a) => split[a] as Dim),
  )
  context.step(steps.Transpose({ x }, { perm: ints(...perm) }), [y])
  context.outputAlias(0, context.alias(y, context.outputType(0).shape))
}

export const ops: readonly OpDef[] = [
  {
    opType: 'Transpose',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: inferTranspose,
    lower: lowerTranspose,
    quantize: { kind: 'shared' },
  },
  {
    opType: 'DepthToSpace',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: (context) => {
      const { dtype, shape } = context.required(0)
      const block = blockSize(context, shape, [1], (b) => b * b)
      const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim]
      return [{ dtype, shape: [n, floorDiv(c, block * block), mul(h, block), mul(w, block)] }]
    },
    lower: (context) => lowerBlocks(context, depthToSpace(context, context.inputType(0).shape)),
    quantize: { kind: 'shared' },
  },
  {
    opType: 'SpaceToDepth',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: (context) => {
      const { dtype, shape } = context.required(0)
      const block = blockSize(context, shape, [2, 3], (b) => b)
      const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim]
      return [{ dtype, shape: [n, mul(c, block * block), floorDiv(h, block), floorDiv(w, block)] }]
    },
    lower: (context) => lowerBlocks(context, spaceToDepth(context, context.inputType(0).shape)),
    quantize: { kind: 'shared' },
  },
  {
    opType: 'ReverseSequence',
    domain: '',
    inputs: [2, 2],
    outputs: [1, 1],
    infer: sameAsInput,
    lower: (context) => {
      const attributes = {
        batch_axis: ints(intAttribute(context.node, 'batch_axis', 1)),
        time_axis: ints(intAttribute(context.node, 'time_axis', 0)),
      }
      context.step(steps.Reverse({ x: context.input(0), lengths: context.input(1) }, attributes), [
        context.output(0),
      ])
    },
  },
]
