/** If and Loop: nodes that own graphs. What they give out is provided while running. */

import { OctavoError } from '../../errors.js'
import { type Dim, sameDim, symbol } from '../../graph/expr.js'
import type { TensorType } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { formatShape, needSizes, ValueNeededError } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'

const BRANCHES = ['else_branch', 'then_branch'] as const

/** The branch that a constant condition takes; the other one need not even be valid (a Squeeze of an axis that is not 1). */
function takenBranch(context: InferContext | LowerContext): (typeof BRANCHES)[number] | undefined {
  const condition = context.values(0)?.[0]
  return typeof condition === 'number' ? BRANCHES[condition === 0 ? 0 : 1] : undefined
}

/** A size as this graph can say it: sizes that only the owned graph knows are provided. */
function visible(context: InferContext, i: number, axis: number, size: Dim): Dim {
  return context.knows(size) ? size : context.provided(i, axis)
}

function inferIf(context: InferContext): Inferred[] {
  const taken = takenBranch(context)
  if (taken !== undefined) {
    const outputs = context.subgraph(taken, [])
    return outputs.map(({ dtype, shape }, i) => ({
      dtype,
      shape: shape?.map((d, a) => visible(context, i, a, d)),
    }))
  }
  const [otherwise, then] = BRANCHES.map((branch) => inferBranch(context, branch)) as [Inferred[], Inferred[]]
  if (then.length !== otherwise.length) {
    context.fail(`branches with as many outputs, got ${then.length} and ${otherwise.length}`)
  }
  return then.map((a, i) => {
    const b = otherwise[i] as Inferred
    if (a.dtype !== b.dtype)
      context.fail(`branches that give output ${i} one type, got ${a.dtype} and ${b.dtype}`)
    if (a.shape === undefined || b.shape === undefined) return { dtype: a.dtype }
    const other = b.shape
    if (a.shape.length !== other.length) {
      needSizes(
        context,
        `branches that give output ${i} one rank, got ${formatShape(a.shape)} and ${formatShape(other)}`,
        0,
      )
    }
    const shape = a.shape.map((d, axis) => {
      return sameDim(d, other[axis] as Dim) ? visible(context, i, axis, d) : context.provided(i, axis)
    })
    return { dtype: a.dtype, shape }
  })
}

/** A branch that is wrong for these sizes may be one that these sizes never take: the condition decides. */
function inferBranch(context: InferContext, branch: (typeof BRANCHES)[number]): readonly Inferred[] {
  try {
    return context.subgraph(branch, [])
  } catch (error) {
    if (
      !(error instanceof OctavoError) ||
      error instanceof ValueNeededError ||
      error.code !== 'ERR_MODEL_INVALID'
    )
      throw error
    const { name: node, opType, inputs } = context.node
    throw new ValueNeededError(error.code, error.message, { node, opType, tensor: inputs[0], cause: error })
  }
}

function captures(context: LowerContext): number[] {
  return (context.node.captures ?? []).map((_, k) => context.capture(k))
}

function scalarInput(context: LowerContext, i: number): number {
  return context.has(i) ? context.alias(context.input(i), []) : -1
}

function lowerIf(context: LowerContext): void {
  const taken = takenBranch(context)
  const otherwise = context.nested(taken ?? 'else_branch')
  const then = context.nested(taken ?? 'then_branch')
  const attributes = {
    // biome-ignore lint/suspicious/noThenProperty: the name that the engine reads; never awaited
    then: then.plan,
    else: otherwise.plan,
    symbols: ints(...longest(then.symbols, otherwise.symbols)),
  }
  const outputs = context.node.outputs.map((_, i) => context.providedOutput(i))
  const inputs = { condition: scalarInput(context, 0), captures: captures(context) }
  context.step(steps.If(inputs, attributes), outputs)
}

function longest<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return a.length >= b.length ? a : b
}

/** Sizes of the carried values that change from one iteration to the next become symbols, until nothing changes. */
function inferLoop(context: InferContext): Inferred[] {
  const carried = context.inputs - 2
  if (carried < 0) context.fail(`at least 2 inputs, got ${context.inputs}`)
  const first: TensorType[] = [
    { dtype: 'int64', shape: [] },
    { dtype: 'bool', shape: [] },
  ]
  const initial = Array.from({ length: carried }, (_, i) => context.required(2 + i))
  const current = initial.map((type) => ({ dtype: type.dtype, shape: [...type.shape] }))
  const axes = current.reduce((n, type) => n + type.shape.length, 0)
  for (let round = 0; round <= axes; round++) {
    const body = context.subgraph('body', [...first, ...current])
    if (body.length < 1 + carried || body.length - 1 !== context.node.outputs.length) {
      context.fail(`a body with ${1 + context.node.outputs.length} outputs, got ${body.length}`)
    }
    if (!loosen(context, current, body.slice(1, 1 + carried)))
      return loopOutputs(context, initial, current, body)
  }
  return context.fail('sizes of the carried values that settle')
}

/** Makes a symbol of every size that the body gives out otherwise than it takes it in; false when there is none. */
function loosen(
  context: InferContext,
  current: { dtype: string; shape: Dim[] }[],
  given: readonly Inferred[],
): boolean {
  let changed = false
  current.forEach((type, i) => {
    const next = given[i] as Inferred
    if (next.dtype !== type.dtype) context.fail(`carried value ${i} to stay ${type.dtype}, got ${next.dtype}`)
    if (next.shape?.length !== type.shape.length) {
      needSizes(
        context,
        `carried value ${i} to keep its rank, got ${formatShape(type.shape)} and ${next.shape ? formatShape(next.shape) : 'unknown'}`,
      )
    }
    next.shape?.forEach((d, axis) => {
      if (sameDim(d, type.shape[axis] as Dim)) return
      const name = `${context.node.outputs[i] || `${context.node.name}.${i}`}.carried.${axis}`
      if (sameDim(type.shape[axis] as Dim, symbol(name))) return
      type.shape[axis] = symbol(name)
      changed = true
    })
  })
  return changed
}

function loopOutputs(
  context: InferContext,
  initial: readonly TensorType[],
  current: readonly { readonly shape: readonly Dim[] }[],
  body: readonly Inferred[],
): Inferred[] {
  const carried = initial.map(({ dtype }, i) => {
    return { dtype, shape: current[i]?.shape.map((d, axis) => visible(context, i, axis, d)) }
  })
  const scanned = body.slice(1 + initial.length).map(({ dtype, shape }, k) => {
    const i = initial.length + k
    return {
      dtype,
      shape: shape && [context.provided(i, 0), ...shape.map((d, a) => visible(context, i, a + 1, d))],
    }
  })
  return [...carried, ...scanned]
}

function lowerLoop(context: LowerContext): void {
  const carried = context.node.inputs.length - 2
  const { plan, symbols } = context.nested('body')
  const initial = Array.from({ length: carried }, (_, i) => context.input(2 + i))
  const inputs = {
    trip_count: scalarInput(context, 0),
    condition: scalarInput(context, 1),
    values: [...initial, ...captures(context)],
  }
  const outputs = context.node.outputs.map((_, i) => context.providedOutput(i))
  const attributes = { body: plan, carried: ints(carried), symbols: ints(...symbols) }
  context.step(steps.Loop(inputs, attributes), outputs)
}

const many = Number.POSITIVE_INFINITY

export const ops: readonly OpDef[] = [
  { opType: 'If', domain: '', inputs: [1, 1], outputs: [1, many], infer: inferIf, lower: lowerIf },
  { opType: 'Loop', domain: '', inputs: [0, many], outputs: [1, many], infer: inferLoop, lower: lowerLoop },
]
