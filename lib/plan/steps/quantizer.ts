/** Steps of the quantizer's arithmetic over weights, run on plans of their own. */
import { F32 } from './shared.js'
import type { StepTable } from './spec.js'

const numbers = (note: string) => ({ kind: 'data', types: 'f64', rank: 1, note }) as const
const channelAxis = { channel_axis: { type: 'int', default: -1 } } as const

export const quantizerSteps = {
  WeightReach: {
    kind: 'float',
    inputs: { x: F32, levels: numbers('[2]: low and high, counted from the zero point') },
    outputs: { reach: numbers('[C]') },
    attributes: { ...channelAxis, least_squares: { type: 'int', default: 0 } },
  },
  WeightLevels: {
    kind: 'float',
    inputs: {
      x: F32,
      scales: { kind: 'data', types: 'f32', rank: 1, note: '[C]' },
      bounds: numbers('[3]: low, high, zero point'),
    },
    outputs: { y: { kind: 'data', types: 'uint8', note: 'sizes of x' } },
    attributes: channelAxis,
  },
  WeightBlocks: {
    kind: 'float',
    inputs: { x: F32, bounds: numbers('[3]: least level, largest level, zero point of symmetric weights') },
    outputs: {
      scales: { kind: 'data', types: 'f32', rank: 1, note: '[groups]' },
      zero_points: { kind: 'data', types: 'uint8', rank: 1, note: '[groups]' },
      y: { kind: 'data', types: 'uint8', note: 'sizes of x' },
    },
    attributes: {
      ...channelAxis,
      block_size: { type: 'int', default: 0 },
      symmetric: { type: 'int', default: 1 },
      either_sign: { type: 'int', default: 0 },
      least_squares: { type: 'int', default: 0 },
    },
  },
} as const satisfies StepTable
