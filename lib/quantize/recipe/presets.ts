/** Formats by name: settings that go together. What is given beside a preset replaces what it says. */
import type { PresetName, RecipeOptions } from './types.js'

export interface Preset {
  /** One line, for the help text and the schema. */
  readonly text: string
  readonly options: Pick<RecipeOptions, 'weights' | 'activations'>
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  int8: { text: 'weights and activations int8, by scales of the samples', options: {} },
  'int8-dynamic': {
    text: 'int8 weights, activations of 8 bits by scales found while running; needs no samples',
    options: { weights: { type: 'int8' }, activations: 'dynamic' },
  },
  'int8-weights': {
    text: 'int8 weights in groups of 32; needs no samples',
    options: { weights: { type: 'int8', group: 32 }, activations: 'block' },
  },
  'int4-weights': {
    text: 'int4 weights in groups of 32; needs no samples',
    options: { weights: { type: 'int4', group: 32 }, activations: 'block' },
  },
  'int2-weights': {
    text: 'int2 weights in groups of 16; needs no samples, and a model that was trained for it',
    options: { weights: { type: 'int2', group: 16 }, activations: 'block' },
  },
  smallest: {
    text: 'int4 weights in groups of 128 with zero points; needs no samples',
    options: { weights: { type: 'int4', group: 128, symmetric: false }, activations: 'block' },
  },
  a8w4: {
    text: 'int4 weights, int8 activations by scales of the samples',
    options: { weights: { type: 'int4' }, activations: { type: 'int8' } },
  },
  a16w8: {
    text: 'int8 weights, int16 activations by scales of the samples',
    options: { weights: { type: 'int8' }, activations: { type: 'int16' } },
  },
}

export const PRESET_NAMES = Object.keys(presets) as PresetName[]
