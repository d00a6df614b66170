/**
 * The table of all settings of a recipe: what each may be, its default, its flag on the command line, and a line about it.
 * The validator, the JSON Schema and the flags of `octavo quantize` are made of it; `types.ts` has the same by hand.
 */
import { OBSERVER_NAMES } from '../../statistics/observers/index.js'
import type { ActivationSettings, Levels, Recipe, WeightSettings } from './types.js'

interface FieldBase {
  /** The long flag of the command line, without `--`. */
  readonly flag: string
  /** One line, for the help text and the schema. */
  readonly text: string
  /** Another setting and what it must be: complete recipes have this one with that alone, or where it was given. */
  readonly when?: readonly [setting: string, is: string]
}

interface ChoiceField extends FieldBase {
  readonly kind: 'choice'
  readonly choices: readonly string[]
  readonly default: string
}

interface FlagField extends FieldBase {
  readonly kind: 'boolean'
  readonly default: boolean
}

/** A finite number within (above, most]. */
export interface NumberField extends FieldBase {
  readonly kind: 'number'
  readonly above: number
  readonly most?: number
  readonly default: number
}

/** An integer from `least` to `most`. */
export interface IntegerField extends FieldBase {
  readonly kind: 'integer'
  readonly least: number
  readonly most: number
  readonly default: number
}

export interface LevelsField extends FieldBase {
  readonly kind: 'levels'
  readonly presets: readonly Extract<Levels, string>[]
  readonly default: Levels
}

export type Field = ChoiceField | FlagField | NumberField | IntegerField | LevelsField

export const weightFields = {
  type: {
    kind: 'choice',
    choices: ['int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2', 'w1'],
    default: 'int8',
    flag: 'weights',
    text: 'type of weights; w1: signs, a bit each, for networks that were trained with two weights a channel',
  },
  granularity: {
    kind: 'choice',
    choices: ['channel', 'tensor', 'group'],
    default: 'channel',
    flag: 'weight-granularity',
    text: 'one scale per output channel of the weights, one per tensor, or one per group of a channel',
  },
  group: {
    kind: 'integer',
    least: 16,
    most: 256,
    when: ['granularity', 'group'],
    default: 32,
    flag: 'group',
    text: 'weights of a channel that share a scale, as the product adds them up; gives granularity group',
  },
  symmetric: {
    kind: 'boolean',
    default: true,
    flag: 'weight-symmetric',
    text: 'zero points of weights are in the middle of their levels',
  },
  range: {
    kind: 'choice',
    choices: ['minmax', 'mse'],
    default: 'mse',
    flag: 'weight-range',
    text: 'scales of weights cover the largest magnitude, or give the least squared error',
  },
  levels: {
    kind: 'levels',
    presets: ['full', 'narrow', '7-bit'],
    default: 'narrow',
    flag: 'weight-levels',
    text: 'integers that weights use; of types below 8 bits all of them, where nothing else is said',
  },
} as const satisfies Record<keyof WeightSettings, Field>

export const activationFields = {
  type: {
    kind: 'choice',
    choices: ['int8', 'uint8', 'int16', 'uint16', 'dynamic', 'block', 'float'],
    default: 'int8',
    flag: 'activations',
    text: 'type of activations, by scales of the samples; dynamic, block: 8 bits, by scales found while running, of rows or of blocks; float',
  },
  granularity: {
    kind: 'choice',
    choices: ['row', 'tensor'],
    when: ['type', 'dynamic'],
    default: 'row',
    flag: 'activation-granularity',
    text: 'activations dynamic: a scale for each row of what a product reads, or one for all of it',
  },
  symmetric: {
    kind: 'boolean',
    default: false,
    flag: 'symmetric',
    text: 'zero points of activations are in the middle of their levels',
  },
  observer: {
    kind: 'choice',
    choices: OBSERVER_NAMES,
    default: 'mse',
    flag: 'observer',
    text: 'how ranges of activations are chosen',
  },
  percentile: {
    kind: 'number',
    above: 50,
    most: 100,
    when: ['observer', 'percentile'],
    default: 99.99,
    flag: 'percentile',
    text: 'observer percentile: percent of the elements that a range covers',
  },
  deviations: {
    kind: 'number',
    above: 0,
    when: ['observer', 'mean-std'],
    default: 4,
    flag: 'deviations',
    text: 'observer mean-std: half of a range in standard deviations',
  },
  momentum: {
    kind: 'number',
    above: 0,
    most: 1,
    when: ['observer', 'moving-average'],
    default: 0.1,
    flag: 'momentum',
    text: 'observer moving-average: weight of a new sample',
  },
  levels: {
    kind: 'levels',
    presets: ['full', 'narrow', '7-bit', '0..127'],
    default: 'full',
    flag: 'activation-levels',
    text: 'integers that activations use',
  },
} as const satisfies Record<keyof ActivationSettings, Field>

/** Settings of the recipe as a whole. */
export const recipeFields = {
  file: {
    kind: 'choice',
    choices: ['dq', 'nbits'],
    default: 'dq',
    flag: 'file',
    text: 'how weights with float activations are stated: DequantizeLinear, or MatMulNBits and GatherBlockQuantized of onnxruntime',
  },
  biasCorrection: {
    kind: 'boolean',
    default: true,
    flag: 'bias-correction',
    text: 'add to every bias what quantization took from the mean of its channel',
  },
  check: {
    kind: 'choice',
    choices: ['repair', 'warn', 'off'],
    default: 'repair',
    flag: 'check',
    text: 'of the result, on samples: keep in float what ruins an output, only warn of it, or neither',
  },
} as const satisfies Partial<Record<keyof Recipe, Field>>
