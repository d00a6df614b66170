/** Operands and attributes that many steps have. */
import type { AttributeSpec, OperandSpec } from './spec.js'

export const X8 = { kind: 'quantized', types: 'q8' } as const satisfies OperandSpec
/** Activations of integer products: 8 or 16 bits. */
export const X16 = { kind: 'quantized', types: 'levels' } as const satisfies OperandSpec
export const Y8 = { kind: 'parameters', types: 'q8' } as const satisfies OperandSpec
export const OUT8 = { kind: 'data', types: 'q8' } as const satisfies OperandSpec
export const F32 = { kind: 'data', types: 'f32' } as const satisfies OperandSpec
export const OPTIONAL_F32 = { kind: 'data', types: 'f32', optional: true } as const satisfies OperandSpec
export const NUMBER = { kind: 'data', types: 'number' } as const satisfies OperandSpec
export const BYTES = { kind: 'data', types: 'bytes' } as const satisfies OperandSpec
export const LIKE_X = { kind: 'data', types: 'bytes', like: 'x' } as const satisfies OperandSpec
export const INDICES = { kind: 'index', types: 'index' } as const satisfies OperandSpec

export const INT = { type: 'int' } as const satisfies AttributeSpec
export const FLAG = { type: 'int', default: 0 } as const satisfies AttributeSpec
export const INTS = { type: 'ints' } as const satisfies AttributeSpec
export const SYMBOLIC = { type: 'ints', symbolic: true } as const satisfies AttributeSpec
export const FLOAT = { type: 'float' } as const satisfies AttributeSpec
const FLOATS = { type: 'floats' } as const satisfies AttributeSpec
export const AXIS = { type: 'int', default: 0 } as const satisfies AttributeSpec

/** Bounds of the quantized output; absent: the range of its type. */
export const CLAMP = { qmin: INT, qmax: INT } as const

/** Windows of a convolution: one number per spatial axis, two pads. */
export const WINDOW = {
  strides: INTS,
  pads: SYMBOLIC,
  dilations: INTS,
} as const

export const POOL_WINDOW = {
  kernel: { type: 'ints', required: true },
  ...WINDOW,
  count_include_pad: FLAG,
} as const satisfies Record<string, AttributeSpec>

/** A function after a float product: min(max(y, lo), hi). */
export const ACTIVATION = {
  fn: { type: 'text', values: ['none', 'relu', 'clip'], default: 'none' },
  lo: FLOAT,
  hi: FLOAT,
} as const satisfies Record<string, AttributeSpec>

export const RESIZE = {
  scales: FLOATS,
  coordinates: {
    type: 'text',
    default: 'half_pixel',
    values: [
      ...(['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel'] as const),
      ...(['align_corners', 'asymmetric', 'tf_crop_and_resize'] as const),
    ],
  },
  nearest: {
    type: 'text',
    default: 'round_prefer_floor',
    values: ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'],
  },
  cubic_a: { type: 'float', default: -0.75 },
  exclude_outside: FLAG,
  extrapolation: { type: 'float', default: 0 },
  roi: FLOATS,
  antialias: FLAG,
} as const satisfies Record<string, AttributeSpec>

/** Functions of one number, applied in turn, and the numbers that they consume in turn. */
export const FUNCTIONS = {
  fns: { type: 'texts', required: true },
  params: FLOATS,
} as const satisfies Record<string, AttributeSpec>
