/** Elements picked by indices. */

import type { Dim } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { asNumbers, axisAttribute, formatShape } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { MAX_VALUES } from '../core/values.js'

function indexShape(context: InferContext, i: number): readonly Dim[] {
  const { dtype, shape } = context.required(i)
  if (dtype !== 'int64' && dtype !== 'int32') context.fail(`indices of type int64 or int32, got ${dtype}`)
  return shape
}

function inferGather(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const axis = axisAttribute(context, shape.length, 0)
  const indices = indexShape(context, 1)
  const result = [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)]
  return [{ dtype, shape: result, values: gatheredValues(context, shape, axis) }]
}

/** Sizes picked from a shape, or rows of a small table of them. */
function gatheredValues(context: InferContext, dims: readonly Dim[], axis: number): Dim[] | undefined {
  const values = context.values(0)
  const indices = context.values(1)
  const shape = asNumbers(dims)
  if (values === undefined || indices === undefined || shape === undefined) return undefined
  const size = shape[axis] as number
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1)
  if (outer * indices.length * inner > MAX_VALUES) return undefined
  const picked: Dim[] = []
  for (let row = 0; row < outer; row++) {
    for (const k of indices) {
      if (typeof k !== 'number' || k < -size || k >= size) return undefined
      const start = (row * size + (k < 0 ? k + size : k)) * inner
      picked.push(...values.slice(start, start + inner))
    }
  }
  return picked
}

function inferGatherElements(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  axisAttribute(context, shape.length, 0)
  const indices = indexShape(context, 1)
  if (indices.length !== shape.length) {
    context.fail(`indices of the rank of the data, got ${formatShape(indices)} for ${formatShape(shape)}`)
  }
  return [{ dtype, shape: indices }]
}

function inferGatherND(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const indices = indexShape(context, 1)
  const batch = intAttribute(context.node, 'batch_dims', 0)
  const depth = indices.at(-1)
  if (
    typeof depth !== 'number' ||
    depth < 1 ||
    batch < 0 ||
    batch + depth > shape.length ||
    batch >= indices.length
  ) {
    return context.fail(
      `indices whose last axis has a known size in 1..${shape.length - batch}, got ${formatShape(indices)} with batch_dims ${batch}`,
    )
  }
  return [{ dtype, shape: [...indices.slice(0, -1), ...shape.slice(batch + depth)] }]
}

function lowerGather(context: LowerContext, op: 'Gather' | 'GatherElements'): void {
  const axis = ints(axisAttribute(context, context.inputType(0).shape.length, 0))
  context.step(steps[op]({ x: context.input(0), indices: context.input(1) }, { axis }), [context.output(0)])
}

function lowerGatherND(context: LowerContext): void {
  const attributes = { batch_dims: ints(intAttribute(context.node, 'batch_dims', 0)) }
  context.step(steps.GatherND({ x: context.input(0), indices: context.input(1) }, attributes), [
    context.output(0),
  ])
}

const common = { domain: '', inputs: [2, 2], outputs: [1, 1], quantize: { kind: 'shared' } } as const

export const ops: readonly OpDef[] = [
  { ...common, opType: 'Gather', infer: inferGather, lower: (context) => lowerGather(context, 'Gather') },
  {
    ...common,
    opType: 'GatherElements',
    infer: inferGatherElements,
    lower: (context) => lowerGather(context, 'GatherElements'),
  },
  { ...common, opType: 'GatherND', infer: inferGatherND, lower: lowerGatherND },
]
