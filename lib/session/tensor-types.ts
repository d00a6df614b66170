/** Element types of tensors in the JavaScript API, and the arrays that hold them. */

export interface TensorDataTypeMap {
  float32: Float32Array
  uint8: Uint8Array
  int8: Int8Array
  uint16: Uint16Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  string: string[]
  bool: Uint8Array
  /** Float16Array where the platform has one. */
  float16: Uint16Array
  float64: Float64Array
  uint32: Uint32Array
  uint64: BigUint64Array
  uint4: Uint8Array
  int4: Uint8Array
}

export interface TensorElementTypeMap {
  float32: number
  uint8: number
  int8: number
  uint16: number
  int16: number
  int32: number
  int64: bigint
  string: string
  bool: boolean
  float16: number
  float64: number
  uint32: number
  uint64: bigint
  uint4: number
  int4: number
}

export type TensorType = keyof TensorDataTypeMap
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
