/** The overloads of create and run, told apart as onnxruntime tells them apart, with its messages. */
import { OctavoError, rangeError, typeError } from '../errors.js'
import type { RunOptions, SessionOptions } from './options.js'
import { Tensor } from './tensor.js'

/** Anything with the parts of a tensor: ours, or that of onnxruntime-common. */
export interface TensorLike {
  /** Element type, as `float32`: one of `TensorType`. */
  readonly type: string
  /** The elements in row-major order: a typed array of that type. */
  readonly data: unknown
  /** Sizes, outermost first; `[]` for a scalar. */
  readonly dims: readonly number[]
}

/** A tensor for every input of the model, by its name. Other names are ignored. */
export type Feeds = Readonly<Record<string, TensorLike>>

/**
 * Which outputs a run gives: a list of their names, or an object that has under each name `null`, or a tensor of the
 * output's type and sizes that the run writes into. Without fetches a run gives all outputs.
 */
export type Fetches = readonly string[] | Readonly<Record<string, TensorLike | null>>

export interface CreateArguments {
  readonly source: string | Uint8Array
  readonly options: SessionOptions
}

export function createArguments(
  first: unknown,
  second: unknown,
  third: unknown,
  fourth: unknown,
): CreateArguments {
  if (typeof first === 'string' || first instanceof Uint8Array) {
    return { source: first, options: optionsObject(second) }
  }
  if (!isBuffer(first)) throw typeError("Unexpected argument[0]: must be 'path' or 'buffer'.")
  if (typeof second !== 'number') return { source: new Uint8Array(first), options: optionsObject(second) }
  const total = first.byteLength
  if (!Number.isSafeInteger(second)) throw rangeError("'byteOffset' must be an integer.")
  if (second < 0 || second >= total) throw rangeError(`'byteOffset' is out of range [0, ${total}).`)
  if (third === undefined) return { source: new Uint8Array(first, second), options: {} }
  if (typeof third !== 'number') throw typeError("'byteLength' must be a number.")
  if (!Number.isSafeInteger(third)) throw rangeError("'byteLength' must be an integer.")
  if (third <= 0 || second + third > total)
    throw rangeError(`'byteLength' is out of range (0, ${total - second}].`)
  return { source: new Uint8Array(first, second, third), options: optionsObject(fourth) }
}

export interface RunArguments {
  readonly feeds: Feeds
  /** Outputs to give, and for each the tensor to write into, or null; undefined: all outputs. */
  readonly fetches?: ReadonlyMap<string, TensorLike | null>
  readonly options: RunOptions
}

export function runArguments(
  inputNames: readonly string[],
  outputNames: readonly string[],
  feeds: unknown,
  second: unknown,
  third: unknown,
): RunArguments {
  if (!isPlainMap(feeds)) {
    throw typeError(
      "'feeds' must be an object that use input names as keys and OnnxValue as corresponding values.",
    )
  }
  const { fetches, options } = fetchesAndOptions(outputNames, second, third)
  for (const name of inputNames) {
    if (feeds[name] === undefined) {
      throw new OctavoError('ERR_MISSING_INPUT', `input '${name}' is missing in 'feeds'.`, { tensor: name })
    }
  }
  return { feeds: feeds as Feeds, fetches, options }
}

function fetchesAndOptions(
  outputNames: readonly string[],
  second: unknown,
  third: unknown,
): { fetches?: Map<string, TensorLike | null>; options: RunOptions } {
  if (second === undefined) return { options: {} }
  if (typeof second !== 'object') throw typeError("Unexpected argument[1]: must be 'fetches' or 'options'.")
  if (second === null) throw typeError('Unexpected argument[1]: cannot be null.')
  if (isTensor(second)) throw typeError("'fetches' cannot be a Tensor")
  if (Array.isArray(second))
    return { fetches: namedFetches(outputNames, second), options: optionsObject(third) }
  const map = second as Record<string, unknown>
  const named = outputNames.filter(
    (name) => Object.hasOwn(map, name) && (map[name] === null || isTensor(map[name])),
  )
  if (named.length === 0) return { options: second as RunOptions }
  const fetches = new Map(
    named.map((name): [string, TensorLike | null] => [name, map[name] as TensorLike | null]),
  )
  return { fetches, options: optionsObject(third) }
}

function namedFetches(outputNames: readonly string[], names: readonly unknown[]): Map<string, null> {
  if (names.length === 0) throw typeError("'fetches' cannot be an empty array.")
  return new Map(
    names.map((name) => {
      if (typeof name !== 'string') throw typeError("'fetches' must be a string array or an object.")
      if (!outputNames.includes(name)) throw rangeError(`'fetches' contains invalid output name: ${name}.`)
      return [name, null]
    }),
  )
}

function optionsObject<T extends object>(value: unknown): T {
  if (value === undefined) return {} as T
  if (typeof value !== 'object' || value === null) throw typeError("'options' must be an object.")
  return value as T
}

function isBuffer(value: unknown): value is ArrayBuffer | SharedArrayBuffer {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isTensor(value)
}

function isTensor(value: unknown): value is TensorLike {
  if (value instanceof Tensor) return true
  if (typeof value !== 'object' || value === null) return false
  return (
    'dims' in value && 'type' in value && ('data' in value || 'cpuData' in value) && Array.isArray(value.dims)
  )
}
