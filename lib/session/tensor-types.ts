/** Element types of tensors in the JavaScript API, and the arrays that hold them. */

/** For every element type, the array that holds the data of a tensor. */
export interface TensorDataTypeMap {
  /** IEEE 754, 32 bits. */
  float32: Float32Array
  /** 0 to 255. */
  uint8: Uint8Array
  /** -128 to 127. */
  int8: Int8Array
  /** 0 to 65535. */
  uint16: Uint16Array
  /** -32768 to 32767. */
  int16: Int16Array
  /** 32 bits, signed. */
  int32: Int32Array
  /** 64 bits, signed; the elements are bigint. */
  int64: BigInt64Array
  /** Such tensors can be made, but not fed: models with strings are not supported. */
  string: string[]
  /** A byte for each element: 0 is false, 1 is true. */
  bool: Uint8Array
  /** The bit patterns of IEEE 754 half precision; a Float16Array at run time where the platform has that class. */
  float16: Uint16Array
  /** IEEE 754, 64 bits. */
  float64: Float64Array
  /** 32 bits, unsigned. */
  uint32: Uint32Array
  /** 64 bits, unsigned; the elements are bigint. */
  uint64: BigUint64Array
  /** 0 to 15: two elements a byte, the first in the low 4 bits; the last byte is padded. */
  uint4: Uint8Array
  /** -8 to 7 in two's complement: two elements a byte, the first in the low 4 bits; the last byte is padded. */
  int4: Uint8Array
}

/** For every element type, what JavaScript takes one element to be. */
export interface TensorElementTypeMap {
  /** A number. */
  float32: number
  /** An integer of 0 to 255. */
  uint8: number
  /** An integer of -128 to 127. */
  int8: number
  /** An integer of 0 to 65535. */
  uint16: number
  /** An integer of -32768 to 32767. */
  int16: number
  /** An integer of 32 bits, signed. */
  int32: number
  /** An integer of 64 bits, signed. */
  int64: bigint
  /** A text. */
  string: string
  /** true or false; in the data 1 or 0. */
  bool: boolean
  /** A number; in the data its bit pattern where the platform has no Float16Array. */
  float16: number
  /** A number. */
  float64: number
  /** An integer of 32 bits, unsigned. */
  uint32: number
  /** An integer of 64 bits, unsigned. */
  uint64: bigint
  /** An integer of 0 to 15. */
  uint4: number
  /** An integer of -8 to 7. */
  int4: number
}

/** Name of an element type, as `float32`. */
export type TensorType = keyof TensorDataTypeMap
/** The data of any tensor. */
export type TensorData = TensorDataTypeMap[TensorType]
export type NumericData = Exclude<TensorData, string[]>

interface NumericArrayConstructor {
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
  new (length: number): NumericData
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): NumericData
  from(values: Iterable<unknown>, map?: (value: unknown) => unknown): NumericData
}

const Float16 = (globalThis as { Float16Array?: unknown }).Float16Array as NumericArrayConstructor | undefined

/** False where float16 data is a Uint16Array of bit patterns. */
export const hasFloat16Array = Float16 !== undefined

const constructors: Readonly<Record<Exclude<TensorType, 'string'>, unknown>> = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float16: Float16 ?? Uint16Array,
  float64: Float64Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  uint4: Uint8Array,
  int4: Uint8Array,
}

const typesOfArrays = new Map<unknown, TensorType>([
  [Float32Array, 'float32'],
  [Uint8Array, 'uint8'],
  [Int8Array, 'int8'],
  [Uint16Array, 'uint16'],
  [Int16Array, 'int16'],
  [Int32Array, 'int32'],
  [BigInt64Array, 'int64'],
  [Float64Array, 'float64'],
  [Uint32Array, 'uint32'],
  [BigUint64Array, 'uint64'],
])
if (Float16) typesOfArrays.set(Float16, 'float16')

/** The array class of a numeric element type; undefined for other words. */
export function arrayOf(type: string): NumericArrayConstructor | undefined {
  return Object.hasOwn(constructors, type)
    ? (constructors[type as keyof typeof constructors] as NumericArrayConstructor)
    : undefined
}

/** The element type that an array stands for by its class alone. */
export function typeOfArray(data: object): TensorType | undefined {
  return typesOfArrays.get(data.constructor)
}

/** Elements of `data` that a tensor of this type and size needs: 4-bit types hold two per byte. */
export function dataLength(type: TensorType, size: number): number {
  return type === 'int4' || type === 'uint4' ? Math.ceil(size / 2) : size
}
