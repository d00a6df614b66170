/** Constant tensors as typed arrays and numbers, and back. */
import { OctavoError } from '../errors.js'
import { byteLength, type DType, isSubByte } from './dtype.js'
import { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from './float16.js'
import { decodeLevel, encodeLevel, FORMATS, type Format, type QuantizedDType } from './format.js'
import type { ConstantTensor } from './graph.js'

export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array

/** A view of this many elements over `bytes`, or over a copy where `bytes` does not start at a multiple of the element. */
function view<T>(
  make: { new (buffer: ArrayBufferLike, offset: number, length: number): T; BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): T {
  const aligned = bytes.byteOffset % make.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice()
  const length = Math.floor(aligned.byteLength / make.BYTES_PER_ELEMENT)
  return new make(aligned.buffer, aligned.byteOffset, length)
}

/**
 * The storage of a dense tensor as a typed array: 16-bit floats as their bits (Uint16Array), bool as bytes,
 * sub-byte types as the packed bytes (`unpackBits` has the elements).
 */
export function typedArrayOf(dtype: DType, bytes: Uint8Array): TypedArray {
  switch (dtype) {
    case 'float32':
      return view(Float32Array, bytes)
    case 'float64':
      return view(Float64Array, bytes)
    case 'int8':
      return view(Int8Array, bytes)
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return view(Uint16Array, bytes)
    case 'int16':
      return view(Int16Array, bytes)
    case 'uint32':
      return view(Uint32Array, bytes)
    case 'int32':
      return view(Int32Array, bytes)
    case 'int64':
      return view(BigInt64Array, bytes)
    case 'uint64':
      return view(BigUint64Array, bytes)
    default:
      return bytes
  }
}

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((n, d) => n * d, 1)
}

/** Elements of a tensor of a sub-byte type, the lowest bits of a byte first. */
export function unpackBits(bytes: Uint8Array, elements: number, format: Format): Int8Array {
  const { bits } = format
  const out = new Int8Array(elements)
  const perByte = 8 / bits
  const mask = 2 ** bits - 1
  for (let i = 0; i < elements; i++) {
    const stored = ((bytes[Math.floor(i / perByte)] ?? 0) >> ((i % perByte) * bits)) & mask
    out[i] = decodeLevel(stored, format)
  }
  return out
}

/** The inverse of `unpackBits`; the bits after the last element are 0. */
export function packBits(elements: ArrayLike<number>, format: Format): Uint8Array {
  const { bits } = format
  const perByte = 8 / bits
  const out = new Uint8Array(Math.ceil(elements.length / perByte))
  for (let i = 0; i < elements.length; i++) {
    const at = Math.floor(i / perByte)
    out[at] = (out[at] ?? 0) | (encodeLevel(elements[i] ?? 0, format) << ((i % perByte) * bits))
  }
  return out
}

/** Elements as numbers, row-major; 64-bit integers beyond 2^53 lose their last bits. Not for strings. */
export function numbersOf(tensor: ConstantTensor): Float64Array {
  const { dtype } = tensor
  const elements = elementCount(tensor.dims)
  if (dtype === 'string') {
    throw new OctavoError('ERR_DTYPE_MISMATCH', 'Expected a tensor of numbers, got one of strings')
  }
  if (isSubByte(dtype)) {
    return Float64Array.from(unpackBits(tensor.data, elements, FORMATS[dtype as QuantizedDType]))
  }
  const values = typedArrayOf(dtype, tensor.data)
  const out = new Float64Array(elements)
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    for (let i = 0; i < elements; i++) out[i] = Number(values[i])
  } else if (dtype === 'float16') {
    for (let i = 0; i < elements; i++) out[i] = float16ToNumber(values[i] ?? 0)
  } else if (dtype === 'bfloat16') {
    for (let i = 0; i < elements; i++) out[i] = bfloat16ToNumber(values[i] ?? 0)
  } else {
    out.set(values)
  }
  return out
}

/** The first element; undefined where there is none, and of strings. */
export function firstNumber(tensor: ConstantTensor | undefined): number | undefined {
  if (tensor === undefined || tensor.dtype === 'string' || elementCount(tensor.dims) === 0) return undefined
  const { dtype, data } = tensor
  return numbersOf({ dtype, dims: [1], data: data.subarray(0, byteLength(dtype, 1)) })[0]
}

/** Elements as float32; a view of the tensor's own bytes where that is what they are (do not write to it). */
export function floatsOf(tensor: ConstantTensor): Float32Array {
  if (tensor.dtype === 'float32') return view(Float32Array, tensor.data)
  if (tensor.dtype !== 'float16' && tensor.dtype !== 'bfloat16') return Float32Array.from(numbersOf(tensor))
  const bits = view(Uint16Array, tensor.data)
  const widen = tensor.dtype === 'float16' ? float16ToNumber : bfloat16ToNumber
  const out = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) out[i] = widen(bits[i] ?? 0)
  return out
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** A tensor over the storage of `array` (as `typedArrayOf` gives it). */
export function tensorOf(dtype: DType, dims: readonly number[], array: ArrayBufferView): ConstantTensor {
  const expected = byteLength(dtype, elementCount(dims))
  if (array.byteLength !== expected) {
    throw new OctavoError(
      'ERR_INTERNAL',
      `A ${dtype} tensor of [${dims.join(', ')}] has ${expected} bytes, got ${array.byteLength}`,
    )
  }
  return { dtype, dims, data: bytesOf(array) }
}

const INT64_MAX = 2n ** 63n - 1n

/** Any dtype but string from numbers: floats rounded, integers truncated and wrapped as typed arrays do (int64 saturates). */
export function tensorFromNumbers(
  dtype: DType,
  dims: readonly number[],
  values: ArrayLike<number>,
): ConstantTensor {
  const list = Array.from(values)
  switch (dtype) {
    case 'float32':
      return tensorOf(dtype, dims, Float32Array.from(list))
    case 'float64':
      return tensorOf(dtype, dims, Float64Array.from(list))
    case 'float16':
      return tensorOf(dtype, dims, Uint16Array.from(list, numberToFloat16))
    case 'bfloat16':
      return tensorOf(dtype, dims, Uint16Array.from(list, numberToBfloat16))
    case 'int8':
      return tensorOf(dtype, dims, Int8Array.from(list))
    case 'uint8':
      return tensorOf(dtype, dims, Uint8Array.from(list))
    case 'bool':
      return tensorOf(
        dtype,
        dims,
        Uint8Array.from(list, (v) => (v === 0 ? 0 : 1)),
      )
    case 'int16':
      return tensorOf(dtype, dims, Int16Array.from(list))
    case 'uint16':
      return tensorOf(dtype, dims, Uint16Array.from(list))
    case 'int32':
      return tensorOf(dtype, dims, Int32Array.from(list))
    case 'uint32':
      return tensorOf(dtype, dims, Uint32Array.from(list))
    case 'int64':
      return tensorOf(dtype, dims, BigInt64Array.from(list, toInt64))
    case 'uint64':
      return tensorOf(
        dtype,
        dims,
        BigUint64Array.from(list, (v) => BigInt(Math.trunc(v))),
      )
    case 'int4':
    case 'uint4':
    case 'int2':
    case 'uint2':
    case 'uint1':
      return tensorOf(dtype, dims, packBits(list, FORMATS[dtype]))
    case 'string':
      throw new OctavoError('ERR_DTYPE_MISMATCH', 'Strings cannot be made from numbers')
  }
}

/** A number cannot hold the largest int64 and has 2^63 instead: "to the end" of Slice comes out as it went in. */
function toInt64(value: number): bigint {
  const integer = BigInt(Math.trunc(value))
  if (integer > INT64_MAX) return INT64_MAX
  return integer < -INT64_MAX - 1n ? -INT64_MAX - 1n : integer
}

export function scalar(dtype: DType, value: number): ConstantTensor {
  return tensorFromNumbers(dtype, [], [value])
}

/** A vector of int64. */
export function int64s(values: readonly number[]): ConstantTensor {
  return tensorFromNumbers('int64', [values.length], values)
}

export function stringTensor(dims: readonly number[], strings: readonly string[]): ConstantTensor {
  return { dtype: 'string', dims, data: new Uint8Array(0), strings }
}

/** Whether two tensors have the same sizes and bytes. */
export function sameTensor(
  a: Pick<ConstantTensor, 'dims' | 'data'>,
  b: Pick<ConstantTensor, 'dims' | 'data'>,
): boolean {
  return (
    a.dims.length === b.dims.length &&
    a.dims.every((d, axis) => d === b.dims[axis]) &&
    Buffer.compare(a.data, b.data) === 0
  )
}
