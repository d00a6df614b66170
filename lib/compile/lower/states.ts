/**
 * States of a graph in its plan: tensors of kind `state`, which all steps read as they were when the run began; the values
 * that they take are copied into them after all else (`steps/state.ts` lets the step that computes one write it).
 */
import { OctavoError } from '../../errors.js'
import { formatDim } from '../../graph/expr.js'
import type { Graph } from '../../graph/graph.js'
import { addTensor, sameDims } from '../../plan/draft.js'
import type { PlanTensor } from '../../plan/plan.js'
import type { KnownType, LoweringScope } from './scope.js'
import { addStored, identityLayout } from './values.js'

export function defineStates(graph: Graph, { draft, values }: LoweringScope): void {
  for (const [name, { type, initial }] of graph.states ?? []) {
    const { dtype, shape } = type
    const tensor = initial
      ? addStored(draft, name, initial, 'state')
      : addTensor(draft, { name, dtype, dims: shape, kind: 'state' })
    values.define(name, tensor, identityLayout(shape.length))
  }
}

/** A state that takes the value of another takes what that was before this run: it is set aside before the first is written. */
export function updateStates(graph: Graph, scope: LoweringScope): void {
  const { values } = scope
  const changes = [...(graph.updates ?? [])].flatMap(([state, value]) => {
    const { shape } = expectSameType(scope, state, value)
    const target = values.read(state, identityLayout(shape.length))
    const source = values.read(value, identityLayout(shape.length))
    return source === target ? [] : [{ target, source: setAside(scope, source) }]
  })
  for (const { target, source } of changes) copy(scope, source, target)
}

/** The tensor, or a copy of it where its bytes are those of a state. */
function setAside(scope: LoweringScope, tensor: number): number {
  const { tensors } = scope.draft
  let root = tensors[tensor]
  while (root?.kind === 'alias' && root.of !== undefined) root = tensors[root.of]
  if (root?.kind !== 'state') return tensor
  const { name, dtype, dims } = tensors[tensor] as PlanTensor
  const aside = addTensor(scope.draft, { name, dtype, dims, kind: 'scratch' })
  copy(scope, tensor, aside)
  return aside
}

const describe = ({ dtype, shape }: KnownType) => `${dtype}[${shape.map(formatDim).join(', ')}]`

function expectSameType(scope: LoweringScope, state: string, value: string) {
  const [expected, got] = [scope.typeOf(state), scope.typeOf(value)]
  if (expected.dtype === got.dtype && sameDims(expected.shape, got.shape)) return expected
  throw new OctavoError(
    'ERR_MODEL_INVALID',
    `State '${state}' is ${describe(expected)}; the value '${value}' that it takes is ${describe(got)}.`,
    { tensor: state },
  )
}

function copy({ steps }: LoweringScope, source: number, target: number): void {
  const places = { inputs: [source], outputs: [target] }
  steps.push({ op: 'Copy', ...places, attributes: {}, nodes: [], kind: 'data' })
}
