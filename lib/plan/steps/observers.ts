/** Steps that collect statistics of what they read in states (lib/statistics/record.ts describes them). */
import { F32 } from './shared.js'
import type { StepTable } from './spec.js'

const state = (note: string) => ({ state: { kind: 'data', types: 'f64', rank: 1, note } }) as const
const base = { kind: 'data', inputs: { x: F32 }, attributes: {}, merges: false, inPlace: ['state'] } as const
const channelAxis = { channel_axis: { type: 'int', required: true } } as const

export const observerSteps = {
  ObserveMoments: { ...base, outputs: state('[6]') },
  ObserveHistogram: {
    ...base,
    outputs: state('[7 + bins]'),
    attributes: { bins: { type: 'int', required: true } },
  },
  ObserveExtremes: {
    ...base,
    inputs: { x: F32, momentum: { kind: 'data', types: 'f64', rank: 0, note: 'constant' } },
    outputs: state('[7]'),
  },
  ObserveChannelExtremes: { ...base, outputs: state('[2 + 3 C]'), attributes: channelAxis },
  ObserveChannelSums: {
    ...base,
    outputs: state('[2 + C]'),
    attributes: { ...channelAxis, per_run: { type: 'int', default: 0 } },
  },
  ObserveGram: { ...base, outputs: state('[3 + C * C]'), attributes: channelAxis },
  ObserveSamples: {
    ...base,
    outputs: state('[5 + capacity * C / 2]'),
    attributes: { ...channelAxis, capacity: { type: 'int', required: true } },
  },
} as const satisfies StepTable
