/** From the state of an observation, as the addon gives it, to its record: the plan knows how many channels the value has. */
import { nestedPlans } from '../../plan/attributes.js'
import type { Plan } from '../../plan/plan.js'
import { type Observation, sizesOf, stateOf } from '../../statistics/observation.js'
import { readRecord, type StatisticRecord } from '../../statistics/record.js'

/** The plan that has the state of an observation: this one, or one in it. */
export function observingPlan(plan: Plan, observation: Observation): Plan | undefined {
  const name = stateOf(observation)
  if (plan.tensors.some((t) => t.kind === 'state' && t.name === name)) return plan
  for (const step of plan.steps) {
    for (const nested of nestedPlans(step)) {
      const found = observingPlan(nested, observation)
      if (found) return found
    }
  }
  return undefined
}

/** Undefined where the plan has no state of this observation. */
export function readStatistic<O extends Observation>(
  whole: Plan,
  observation: O,
  readState: (name: string) => ArrayBuffer,
): StatisticRecord<O['kind']> | undefined {
  const name = stateOf(observation)
  const plan = observingPlan(whole, observation)
  const state = plan?.tensors.findIndex((t) => t.kind === 'state' && t.name === name) ?? -1
  const step = plan?.steps.find((s) => s.outputs.includes(state))
  if (!plan || !step) return undefined
  const axis = step.attributes.channel_axis
  const position = axis?.kind === 'ints' ? (axis.value[0] as number) : -1
  const channels = plan.tensors[step.inputs[0] ?? -1]?.dims[position]
  const sizes = sizesOf(observation, typeof channels === 'number' ? channels : 0)
  return readRecord<O['kind']>(observation.kind, readState(name), sizes)
}
