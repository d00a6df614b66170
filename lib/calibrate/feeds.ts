/** Checks one sample against the inputs of the model, and turns it into what the engine takes. */
import { OctavoError } from '../errors.js'
import type { Pace } from '../event-loop.js'
import { byteLength, DTYPES, type DType } from '../graph/dtype.js'
import { type Dim, formatDim } from '../graph/expr.js'
import type { TensorType } from '../graph/graph.js'
import { describe, type Feeds, type TensorLike } from './data.js'
import type { EngineTensor } from './engine.js'

/** Elements checked for NaN between two looks at the clock. */
const SLICE = 1 << 18

export interface InputSpec {
  readonly name: string
  readonly type: TensorType
}

/**
 * The tensors of sample `index`, sharing the caller's memory. Fails with ERR_CALIBRATION_DATA, naming the sample
 * and the tensor: an input that is missing, of another type, rank or size, whose data is too short, or that holds NaN or
 * +Infinity. -Infinity is what masks hold.
 */
export async function checkFeeds(
  feeds: Feeds,
  index: number,
  inputs: readonly InputSpec[],
  pace: Pace,
): Promise<Record<string, EngineTensor>> {
  if (typeof feeds !== 'object' || feeds === null) {
    throw dataError(index, undefined, `expected feeds ({ [input]: Tensor }), received ${describe(feeds)}`)
  }
  const checked: Record<string, EngineTensor> = {}
  for (const { name, type } of inputs) {
    const tensor: TensorLike | undefined = feeds[name]
    if (typeof tensor !== 'object' || tensor === null) {
      const given = Object.keys(feeds).map((key) => `'${key}'`)
      throw dataError(index, name, `is missing; the sample has ${given.join(', ') || 'no tensors'}`)
    }
    checked[name] = toEngineTensor(tensor, index, name, type)
    await rejectNonFinite(tensor, index, name, pace)
  }
  return checked
}

/**
 * Whether a sample is a batch of size 0: where sizes are open, there is nothing. It is skipped. (A cache that is empty at first
 * is no such batch: other inputs have elements.)
 */
export function isEmptyBatch(
  sample: Readonly<Record<string, Pick<TensorLike, 'dims'>>>,
  inputs: readonly InputSpec[],
): boolean {
  const open = inputs.filter(({ type }) => type.shape?.some((d) => typeof d !== 'number') ?? true)
  return open.length > 0 && open.every(({ name }) => sample?.[name]?.dims?.includes?.(0) === true)
}

function toEngineTensor(tensor: TensorLike, index: number, name: string, type: TensorType): EngineTensor {
  if (tensor.type !== type.dtype) {
    throw dataError(index, name, `has type ${String(tensor.type)}, expected ${type.dtype}`)
  }
  const dims = tensor.dims
  if (!Array.isArray(dims) || !dims.every((d) => Number.isSafeInteger(d) && d >= 0)) {
    throw dataError(index, name, 'has no dims (an array of non-negative integers)')
  }
  if (type.shape) checkShape(dims, type.shape, index, name)
  const elements = dims.reduce((n: number, d: number) => n * d, 1)
  const bytes = bytesOf(tensor.data, type.dtype)
  if (!bytes) {
    throw dataError(
      index,
      name,
      `has ${describe(tensor.data)} as data, expected a typed array of ${type.dtype}`,
    )
  }
  if (bytes.byteLength !== byteLength(type.dtype, elements)) {
    throw dataError(
      index,
      name,
      `has ${bytes.byteLength} bytes, expected ${byteLength(type.dtype, elements)} for [${dims.join(', ')}]`,
    )
  }
  return { dtype: type.dtype, dims: [...dims], data: bytes }
}

function checkShape(dims: readonly number[], shape: readonly Dim[], index: number, name: string): void {
  const fits = dims.length === shape.length && shape.every((d, i) => typeof d !== 'number' || d === dims[i])
  if (fits) return
  const expected = shape.map(formatDim).join(', ')
  throw dataError(index, name, `has shape [${dims.join(', ')}], expected [${expected}]`)
}

function bytesOf(data: unknown, dtype: DType): Uint8Array | undefined {
  if (!ArrayBuffer.isView(data) || DTYPES[dtype].bits === 0) return undefined
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

async function rejectNonFinite(tensor: TensorLike, index: number, name: string, pace: Pace): Promise<void> {
  const { data } = tensor
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return
  for (let start = 0; start < data.length; start += SLICE) {
    const end = Math.min(data.length, start + SLICE)
    for (let i = start; i < end; ++i) {
      const value = data[i] as number
      if (value - value === 0 || value === Number.NEGATIVE_INFINITY) continue
      throw dataError(
        index,
        name,
        `holds ${value} at element ${i}; expected finite numbers, or -Infinity in a mask`,
      )
    }
    await pace.breathe()
  }
}

function dataError(index: number, name: string | undefined, problem: string): OctavoError {
  const where = name === undefined ? `Sample ${index}:` : `Sample ${index}: input '${name}'`
  return new OctavoError(
    'ERR_CALIBRATION_DATA',
    `${where} ${problem}.`,
    name === undefined ? {} : { tensor: name },
  )
}
