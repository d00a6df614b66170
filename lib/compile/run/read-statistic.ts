/** From the state of an observation, as the addon gives it, to its record: the plan knows how many channels the value has. */
import type { Plan } from '../../plan/plan.js'
import { type Observation, sizesOf, stateOf } from '../../statistics/observation.js'
import { readRecord, type StatisticRecord } from '../../statistics/record.js'

/** Undefined where the plan has no state of this observation. */
export function readStatistic<O extends Observation>(
  plan: Plan,
  observation: O,
  readState: (name: string) => ArrayBuffer,
): StatisticRecord<O['kind']> | undefined {
  const name = stateOf(observation)
  const state = plan.tensors.findIndex((t) => t.kind === 'state' && t.name === name)
  const step = plan.steps.find((s) => s.outputs.includes(state))
  if (state < 0 || !step) return undefined
  const axis = step.attributes.channel_axis
  const position = axis?.kind === 'ints' ? (axis.value[0] as number) : -1
  const channels = plan.tensors[step.inputs[0] ?? -1]?.dims[position]
  const sizes = sizesOf(observation, typeof channels === 'number' ? channels : 0)
  return readRecord<O['kind']>(observation.kind, readState(name), sizes)
}
