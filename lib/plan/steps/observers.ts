/** Steps that collect statistics of what they read in states. */
import { F32 } from './shared.js'
import type { StepTable } from './spec.js'

export const observerSteps = {
  Observe: {
    kind: 'data',
    inputs: { x: F32 },
    outputs: { state: { kind: 'data', types: 'f64', rank: 1, note: '[7 + bins + C]' } },
    attributes: { channel_axis: { type: 'int', default: -1 }, bins: { type: 'int', required: true } },
    merges: false,
    inPlace: ['state'],
  },
} as const satisfies StepTable
