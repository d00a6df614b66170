/** Sets of element types that operands of steps may have. */
import type { DType } from '../../graph/dtype.js'

const NUMBERS = [
  ...(['float32', 'float64', 'uint8', 'int8', 'uint16', 'int16'] as const),
  ...(['uint32', 'int32', 'uint64', 'int64'] as const),
] as const

export const TYPES = {
  f32: ['float32'],
  f64: ['float64'],
  bool: ['bool'],
  int32: ['int32'],
  int64: ['int64'],
  uint8: ['uint8'],
  int8: ['int8'],
  /** 8-bit activations. */
  q8: ['uint8', 'int8'],
  /** Weights of integer products; of less than 8 bits where they are constant. */
  weights: ['uint8', 'int8', 'uint4', 'int4', 'uint2', 'int2', 'uint1'],
  /** Scales of blocks of weights. */
  scales: ['float32', 'float16'],
  /** Zero points of blocks of weights: levels, or real ones. */
  zeros: ['uint8', 'int8', 'uint4', 'int4', 'uint2', 'int2', 'float32', 'float16'],
  /** What QuantizeLinear writes; types of less than a byte where it is constant. */
  quantized: ['uint8', 'int8', 'uint16', 'int16', 'uint4', 'int4', 'uint2', 'int2'],
  /** What DequantizeLinear reads. */
  stored: ['uint8', 'int8', 'uint16', 'int16', 'int32', 'uint4', 'int4', 'uint2', 'int2'],
  /** Levels that an integer product multiplies, and requantizes to. */
  levels: ['uint8', 'int8', 'uint16', 'int16'],
  /** What an integer product writes: requantized, real, or the sums themselves. */
  sums: ['uint8', 'int8', 'uint16', 'int16', 'float32', 'int32'],
  bias: ['int32', 'float32'],
  index: ['int32', 'int64'],
  /** Keys and values of attention. */
  cached: ['float32', 'int8'],
  /** What matrix products are computed in. */
  matrix: ['float32', 'float64', 'int32', 'int64', 'uint32', 'uint64'],
  pooled: ['float32', 'float64', 'uint8', 'int8', 'uint16', 'int16'],
  range: ['float32', 'float64', 'int16', 'int32', 'int64'],
  number: NUMBERS,
  /** Numbers and bool. */
  plain: [...NUMBERS, 'bool'],
  /** Any type of 8 bits or more. */
  bytes: [...NUMBERS, 'bool', 'float16', 'bfloat16'],
  any: [...NUMBERS, 'bool', 'float16', 'bfloat16', 'uint4', 'int4', 'uint2', 'int2', 'uint1'],
} as const satisfies Record<string, readonly DType[]>

export type TypeClass = keyof typeof TYPES
