/** Integer products. Those of quantized activations end in the same epilogue. */
import { CLAMP, F32, FLAG, INT, INTS, OPTIONAL_F32, WINDOW, X8, X16, Y8 } from './shared.js'
import type { AttributeSpec, OperandSpec, StepTable } from './spec.js'

const BIAS = {
  kind: 'bias',
  types: 'bias',
  optional: true,
  note: 'int32, or f32 where the output is f32',
} as const satisfies OperandSpec

/** What follows the sums: to bytes; then the sum with a residual; then a table of 256 bytes. */
const EPILOGUE = {
  y: { kind: 'parameters', types: 'levels', optional: true },
  bias: BIAS,
  residual: { ...X8, optional: true },
  sum: { ...Y8, optional: true },
  table: { kind: 'table', types: 'q8', optional: true, rank: 1, note: '256 bytes, by the byte before' },
} as const satisfies Record<string, OperandSpec>

const BOUNDS = {
  ...CLAMP,
  sum_qmin: INT,
  sum_qmax: INT,
  /** Of f32 outputs: the sum meets f32(x_scale * w_scale), or one scale after the other. */
  scale_order: { type: 'text', values: ['product', 'a_first', 'b_first'] },
} as const satisfies Record<string, AttributeSpec>

/** Activations less their zero point are -1, 0 and 1: where the weights are -1 and 1, bits are counted. */
const TERNARY = { ternary: FLAG } as const

const SUMS = { kind: 'data', types: 'sums' } as const satisfies OperandSpec

const CONVOLUTION = { ...WINDOW, group: { type: 'int', default: 1 }, ...BOUNDS } as const satisfies Record<
  string,
  AttributeSpec
>

const weights = (note: string) => ({ kind: 'weights', types: 'weights', note }) as const satisfies OperandSpec

export const productSteps = {
  QConv: {
    kind: 'integer',
    inputs: {
      x: X16,
      w: weights('[M, C/g, k...], constant; scales 1 or [M]'),
      ...EPILOGUE,
    },
    outputs: { y: { ...SUMS, note: '[N, o..., M]' } },
    attributes: { ...CONVOLUTION, ...TERNARY },
    shiftsSign: true,
  },
  QConvTranspose: {
    kind: 'integer',
    inputs: {
      x: X16,
      w: weights('[C, M/g, k...], constant; scales 1 or [M]'),
      ...EPILOGUE,
    },
    outputs: { y: { ...SUMS, note: '[N, o..., M]' } },
    attributes: CONVOLUTION,
    shiftsSign: true,
  },
  QMatMul: {
    kind: 'integer',
    inputs: {
      a: { ...X16, note: '[..., m, k]; one scale and zero point, or of 8 bits one for each row' },
      b: { kind: 'quantized', types: 'weights', note: '[..., k, n]; scales 1 or [n]' },
      ...EPILOGUE,
    },
    outputs: { y: { ...SUMS, note: '[..., m, n]' } },
    attributes: {
      trans_a: FLAG,
      trans_b: FLAG,
      perm_a: INTS,
      perm_b: INTS,
      perm_y: INTS,
      ...BOUNDS,
      ...TERNARY,
    },
    shiftsSign: true,
  },
  BlockMatMul: {
    kind: 'integer',
    inputs: {
      a: { ...F32, note: '[..., m, k]' },
      b: {
        kind: 'data',
        types: 'weights',
        rank: 2,
        note: '[k, n], constant; with trans_b [n, k], k rounded up to whole blocks or not',
      },
      scale: { kind: 'data', types: 'scales', rank: 2, note: '[blocks, n]; with trans_b [n, blocks]' },
      zero_point: {
        kind: 'data',
        types: 'zeros',
        optional: true,
        note: 'as scale, or one; rows of levels may be longer',
      },
      bias: { ...OPTIONAL_F32, note: '[n]' },
      table: { ...OPTIONAL_F32, rank: 1, note: 'the number of each level, without a zero point' },
    },
    outputs: { y: { ...F32, note: '[..., m, n]' } },
    attributes: {
      block_size: { type: 'int', required: true },
      trans_b: FLAG,
      activations: { type: 'text', values: ['block', 'float'], default: 'block' },
      activation_block: { type: 'int', default: 0 },
    },
  },
} as const satisfies StepTable
