/** Tensor: the class of the onnxruntime JavaScript API, for tensors on the CPU. */
import { rangeError, typeError } from '../errors.js'
import {
  arrayOf,
  dataLength,
  hasFloat16Array,
  type NumericData,
  type TensorData,
  type TensorDataTypeMap,
  type TensorElementTypeMap,
  type TensorType,
  typeOfArray,
} from './tensor-types.js'

/** Where the data of a tensor is: `cpu`, `cpu-pinned` for a pinned buffer, `none` once it is disposed. Others do not occur. */
export type TensorLocation = 'none' | 'cpu' | 'cpu-pinned' | 'texture' | 'gpu-buffer' | 'ml-tensor'

/** `{ location: 'cpu-pinned', type, data, dims }`: the data is used as it is. */
export interface PinnedTensorParameters<T extends TensorType = TensorType> {
  /** Says that the caller goes on writing into `data`. */
  readonly location: 'cpu-pinned'
  /** Element type. */
  readonly type: T
  /** The elements in row-major order. */
  readonly data: TensorDataTypeMap[T]
  /** Sizes, outermost first. Default: `[data.length]`. */
  readonly dims?: readonly number[]
}

/** What a tensor can be made of: its data, or plain arrays that are converted. */
type Data =
  | TensorData
  | Uint8ClampedArray
  | readonly number[]
  | readonly bigint[]
  | readonly boolean[]
  | readonly string[]

/**
 * An n-dimensional array: element type, sizes, and dense row-major data. A typed array is kept and not copied;
 * a plain array and a Uint8ClampedArray are.
 *
 * @example
 * ```ts
 * import { Tensor } from 'octavo'
 *
 * const image = new Tensor('float32', new Float32Array(3 * 224 * 224), [1, 3, 224, 224])
 * const ids = new Tensor('int64', [101n, 2054n, 102n], [1, 3])
 * console.log(image.size, ids.dims, ids.data)
 * ```
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: the data does not belong to the element type, or the type is unknown;
 * dims are no array of integers.
 * @throws {RangeError} `ERR_OUT_OF_RANGE`: a size is negative.
 * @throws {Error} `ERR_SHAPE_MISMATCH`: the data has another length than dims ask for.
 */
export class Tensor<T extends TensorType = TensorType> {
  /** Sizes, outermost first; `[]` for a scalar. */
  readonly dims: readonly number[]
  /** Element type. */
  readonly type: T
  /** Number of elements: the product of dims. */
  readonly size: number
  #data: TensorData | undefined
  #location: TensorLocation

  /**
   * A tensor of a given element type.
   *
   * @param data An array of the class that belongs to the type, or a plain array of numbers, booleans or bigints, which
   * is converted (not for `uint4`, `int4`, and `float16` where the platform has no Float16Array). For `int64` and
   * `uint64` numbers will do; `uint8` takes a Uint8ClampedArray, `float16` a Uint16Array of bit patterns.
   * @param dims Sizes, outermost first. Default: `[data.length]`.
   */
  constructor(type: T, data: Data, dims?: readonly number[])
  /**
   * A tensor of the element type that the data's class tells: a typed array, a Uint8ClampedArray (`uint8`), booleans
   * (`bool`) or strings (`string`). Of plain numbers it cannot tell one.
   *
   * @param dims Sizes, outermost first. Default: `[data.length]`.
   */
  constructor(data: Data, dims?: readonly number[])
  /** A tensor over a buffer that the caller keeps writing to; see `fromPinnedBuffer`. */
  constructor(parameters: PinnedTensorParameters<T>)
  constructor(
    first: T | Data | PinnedTensorParameters<T>,
    second?: Data | readonly number[],
    third?: readonly number[],
  ) {
    const parts = isPinned(first)
      ? pinned(first)
      : typeof first === 'string'
        ? { type: first as TensorType, data: convert(first, second), dims: third, location: 'cpu' as const }
        : { ...infer(first as Data), dims: second as readonly number[] | undefined, location: 'cpu' as const }
    const { data } = parts
    if (parts.dims !== undefined && !Array.isArray(parts.dims)) {
      throw typeError("A tensor's dims must be a number array")
    }
    const dims = parts.dims ?? [data.length]
    const size = sizeOf(dims)
    const expected = dataLength(parts.type, size)
    if (expected !== data.length) {
      throw Object.assign(new Error(`Tensor's size(${size}) does not match data length(${data.length}).`), {
        code: 'ERR_SHAPE_MISMATCH',
      })
    }
    this.type = parts.type as T
    this.dims = [...dims]
    this.size = size
    this.#data = data
    this.#location = parts.location
  }

  /** The elements in row-major order: the array that the tensor was made of. Throws an Error once it is disposed. */
  get data(): TensorDataTypeMap[T] {
    if (this.#data === undefined) throw new Error('The tensor is disposed.')
    return this.#data as TensorDataTypeMap[T]
  }

  /** `cpu`, `cpu-pinned` for a pinned buffer, `none` once the tensor is disposed. */
  get location(): TensorLocation {
    return this.#location
  }

  /** `data` as a promise. `releaseData` is ignored: it is about copies on other devices. */
  async getData(_releaseData?: boolean): Promise<TensorDataTypeMap[T]> {
    return this.data
  }

  /**
   * A tensor with the same data, not a copy, and other sizes, whose product must be the same (else an Error with the
   * code `ERR_SHAPE_MISMATCH`).
   */
  reshape(dims: readonly number[]): Tensor<T> {
    const data = this.data
    if (this.#location !== 'cpu-pinned') return new Tensor(this.type, data as Data, dims)
    return new Tensor({ location: 'cpu-pinned', type: this.type, data, dims })
  }

  /** Lets go of the data: reading it is an error from now on. A second call does nothing. */
  dispose(): void {
    this.#data = undefined
    this.#location = 'none'
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** onnxruntime's, of web backends: throws, as the data is on the CPU. */
  get texture(): never {
    throw notSupported('texture')
  }

  /** onnxruntime's, of web backends: throws, as the data is on the CPU. */
  get gpuBuffer(): never {
    throw notSupported('gpuBuffer')
  }

  /** onnxruntime's, of web backends: throws, as the data is on the CPU. */
  get mlTensor(): never {
    throw notSupported('mlTensor')
  }

  /** onnxruntime's, of browsers: throws. */
  toDataURL(): string {
    throw notSupported('toDataURL')
  }

  /** onnxruntime's, of browsers: throws. */
  toImageData(): never {
    throw notSupported('toImageData')
  }

  /** onnxruntime's, of browsers: throws. */
  static fromImage(): Promise<never> {
    throw notSupported('fromImage')
  }

  /** onnxruntime's, of web backends: throws. */
  static fromTexture(): never {
    throw notSupported('fromTexture')
  }

  /** onnxruntime's, of web backends: throws. */
  static fromGpuBuffer(): never {
    throw notSupported('fromGpuBuffer')
  }

  /** onnxruntime's, of web backends: throws. */
  static fromMLTensor(): never {
    throw notSupported('fromMLTensor')
  }

  /**
   * A tensor over a buffer that the caller keeps writing to, with the location `cpu-pinned`. A run copies what is in the
   * buffer when it is called; in fetches, a run writes into it.
   *
   * @param dims Sizes, outermost first. Default: `[buffer.length]`.
   */
  static fromPinnedBuffer<T extends Exclude<TensorType, 'string'>>(
    type: T,
    buffer: TensorDataTypeMap[T],
    dims?: readonly number[],
  ): Tensor<T> {
    return new Tensor({ location: 'cpu-pinned', type, data: buffer, dims: dims ?? [buffer.length] })
  }
}

/** The names that onnxruntime gives these types. */
export declare namespace Tensor {
  /** For every element type, the array that holds the data. */
  type DataTypeMap = TensorDataTypeMap
  /** For every element type, what one element is in JavaScript. */
  type ElementTypeMap = TensorElementTypeMap
  /** Name of an element type. */
  type Type = TensorType
  /** The data of any tensor. */
  type DataType = TensorDataTypeMap[TensorType]
  /** One element of any tensor. */
  type ElementType = TensorElementTypeMap[TensorType]
  /** Element types that a pinned buffer may have. */
  type CpuPinnedDataTypes = Exclude<TensorType, 'string'>
  /** Where the data of a tensor is. */
  type DataLocation = TensorLocation
}

export type { TensorDataTypeMap, TensorType }

function isPinned(value: unknown): value is PinnedTensorParameters {
  return typeof value === 'object' && value !== null && 'location' in value
}

function pinned(p: PinnedTensorParameters) {
  if (p.location !== 'cpu-pinned') {
    throw Object.assign(new Error(`Tensor constructor: unsupported location '${String(p.location)}'`), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
  }
  const array = arrayOf(p.type)
  if (!array) throw typeError(`unsupported type "${p.type}" to create tensor from pinned buffer`)
  if (!(p.data instanceof (array as unknown as new () => NumericData))) {
    throw typeError(`buffer should be of type ${array.name}`)
  }
  return { type: p.type, data: p.data as TensorData, dims: p.dims, location: 'cpu-pinned' as const }
}

/** Data given with its element type. */
function convert(type: string, data: unknown): TensorData {
  if (type === 'string') {
    if (!Array.isArray(data)) throw typeError("A string tensor's data must be a string array.")
    return data as string[]
  }
  const array = arrayOf(type)
  if (!array) throw typeError(`Unsupported tensor type: ${type}.`)
  if (Array.isArray(data)) {
    if ((type === 'float16' && !hasFloat16Array) || type === 'uint4' || type === 'int4') {
      throw typeError(
        `Creating a ${type} tensor from number array is not supported. Please use ${array.name} as data.`,
      )
    }
    return type === 'int64' || type === 'uint64'
      ? array.from(data, (v) => BigInt(v as number))
      : array.from(data)
  }
  if (data instanceof (array as unknown as new () => NumericData)) return data
  if (data instanceof Uint8ClampedArray) {
    if (type === 'uint8') return Uint8Array.from(data)
    throw typeError("A Uint8ClampedArray tensor's data must be type of uint8")
  }
  if (type === 'float16' && data instanceof Uint16Array) {
    return new array(data.buffer, data.byteOffset, data.length)
  }
  throw typeError(`A ${type} tensor's data must be type of ${array.name}`)
}

/** Data whose element type its class tells. */
function infer(data: Data): { type: TensorType; data: TensorData } {
  if (Array.isArray(data)) {
    if (data.length === 0) throw typeError('Tensor type cannot be inferred from an empty array.')
    const kind = typeof data[0]
    if (kind === 'string') return { type: 'string', data: data as string[] }
    if (kind === 'boolean')
      return { type: 'bool', data: Uint8Array.from(data as unknown as boolean[], Number) }
    throw typeError(`Invalid element type of data array: ${kind}.`)
  }
  if (data instanceof Uint8ClampedArray) return { type: 'uint8', data: Uint8Array.from(data) }
  const type = typeof data === 'object' && data !== null ? typeOfArray(data) : undefined
  if (!type) throw typeError(`Unsupported type for tensor data: ${describe(data)}.`)
  return { type, data: data as TensorData }
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? value.constructor?.name : typeof value
}

function sizeOf(dims: readonly unknown[]): number {
  return dims.reduce<number>((size, dim, i) => {
    if (typeof dim !== 'number' || !Number.isSafeInteger(dim)) {
      throw typeError(`dims[${i}] must be an integer, got: ${String(dim)}`)
    }
    if (dim < 0) throw rangeError(`dims[${i}] must be a non-negative integer, got: ${dim}`)
    return size * dim
  }, 1)
}

function notSupported(what: string): Error {
  return new Error(`Tensor.${what} is not supported on this runtime: Octavo's tensors are on the CPU.`)
}
