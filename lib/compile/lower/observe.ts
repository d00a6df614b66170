/** An observation as a step: it reads the value in the layout that the value has, and adds to a state of its own. */

import { ints } from '../../plan/attributes.js'
import { addTensor } from '../../plan/draft.js'
import type { PlanAttribute } from '../../plan/plan.js'
import { isPerChannel, type Observation, sizesOf, stateOf, stepOf } from '../../statistics/observation.js'
import { recordWords } from '../../statistics/record.js'
import type { LoweringScope } from './scope.js'
import { identityLayout } from './values.js'

/** Adds nothing where a value is not float32, or a channel axis has no known size. */
export function lowerObservation(lowering: LoweringScope, observation: Observation): void {
  const { value, kind, channelAxis = -1 } = observation
  const { dtype, shape } = lowering.typeOf(value)
  if (dtype !== 'float32') return
  const layout = lowering.values.layoutOf(value) ?? identityLayout(shape.length)
  const channels = isPerChannel(observation) ? shape[channelAxis] : 0
  if (typeof channels !== 'number') return
  const state = addTensor(lowering.draft, {
    name: stateOf(observation),
    dtype: 'float64',
    dims: [recordWords(kind, sizesOf(observation, channels))],
    kind: 'state',
  })
  lowering.steps.push({
    op: stepOf(kind),
    inputs: [lowering.values.read(value, layout), ...operandsOf(lowering, observation)],
    outputs: [state],
    attributes: attributesOf(observation, layout.indexOf(channelAxis)),
    nodes: [],
    kind: 'data',
  })
}

/** Numbers that must be float64. */
function operandsOf({ draft }: LoweringScope, observation: Observation): number[] {
  if (observation.kind !== 'extremes') return []
  const data = new Uint8Array(Float64Array.of(observation.momentum).buffer)
  return [addTensor(draft, { name: 'momentum', dtype: 'float64', dims: [], kind: 'constant', data })]
}

type Attributes = Readonly<Record<string, PlanAttribute>>

function attributesOf(observation: Observation, axis: number): Attributes {
  const channels: Attributes = isPerChannel(observation) ? { channel_axis: ints(axis) } : {}
  switch (observation.kind) {
    case 'histogram':
      return { bins: ints(sizesOf(observation, 0).bins ?? 0) }
    case 'channelSums':
      return { ...channels, per_run: ints(observation.perRun ? 1 : 0) }
    case 'samples':
      return { ...channels, capacity: ints(observation.capacity) }
    default:
      return channels
  }
}
