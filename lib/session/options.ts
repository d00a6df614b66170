/** Options of InferenceSession.create: checked, and reduced to what the engine needs. */
import { rangeError, typeError } from '../errors.js'
import { log } from './env.js'
import { blockActivationsOf } from './extra.js'

/** A file of external data by the name that the model has for it. */
interface ExternalDataDescription {
  /** The location that the model names, as `weights.bin`. */
  readonly path: string
  /** Where the file really is, or its bytes (a Blob is read). */
  readonly data: string | ArrayBufferLike | Uint8Array | Blob
}

/** A file of external data: a path whose last part is the location that the model names, or both of them apart. */
export type ExternalData = string | ExternalDataDescription

/** An execution provider of onnxruntime, by its name alone or in an object with its options, which are ignored. */
export type ExecutionProvider =
  | string
  | {
      /** `cpu`, for example. */
      readonly name: string
    }

/**
 * Options of `InferenceSession.create`. A value of the wrong type is a TypeError (`ERR_INVALID_ARG_TYPE`), one out of
 * its range a RangeError (`ERR_OUT_OF_RANGE`); both name the option.
 */
export interface SessionOptions {
  /**
   * `cpu`, or `xnnpack`, for which the CPU stands in. Others are dropped with a warning; where none is left, create
   * fails with `ERR_OUT_OF_RANGE`. Default: `cpu`.
   */
  readonly executionProviders?: readonly ExecutionProvider[]
  /**
   * Threads used inside one run, the caller's included; at most 256. Default, and the meaning of 0: the cores that the
   * process may use, by its affinity mask and the quota of its cgroup. Results do not depend on it.
   */
  readonly intraOpNumThreads?: number
  /** onnxruntime's; checked (a non-negative integer) and ignored: the steps of a run follow one another. */
  readonly interOpNumThreads?: number
  /** Numbers for symbolic sizes, by name, as `{ batch: 1 }`: the session then takes inputs of these sizes only. */
  readonly freeDimensionOverrides?: Readonly<Record<string, number>>
  /**
   * `disabled`: every node runs as steps of its own, as it stands in the file; models in QDQ form then compute in
   * float. All other words mean the same: everything. Default `all`.
   */
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all'
  /** onnxruntime's; checked (a boolean) and ignored: every execution has one arena, laid out when sizes are known. */
  readonly enableCpuMemArena?: boolean
  /** onnxruntime's; checked (a boolean) and ignored. */
  readonly enableMemPattern?: boolean
  /** onnxruntime's; checked and ignored: the steps of a run follow one another, each on all threads. */
  readonly executionMode?: 'sequential' | 'parallel'
  /**
   * Where to write the model as ONNX once constants are folded and patterns recognized. A file that exists is replaced.
   * A model whose constants cannot be folded without the sizes of a run is not written.
   */
  readonly optimizedModelFilePath?: string
  /** true: runs are timed from the start, as after `startProfiling()`; `profile()` has the times. Default false. */
  readonly enableProfiling?: boolean
  /** onnxruntime's; checked (a string) and ignored: profiles are not written to files. */
  readonly profileFilePrefix?: string
  /** onnxruntime's; checked (a string) and ignored. */
  readonly logId?: string
  /** onnxruntime's; checked (0 to 4) and ignored: `env.logLevel` decides what is written. */
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4
  /** onnxruntime's; checked (a non-negative integer) and ignored. */
  readonly logVerbosityLevel?: number
  /** onnxruntime's; ignored: outputs are on the CPU. */
  readonly preferredOutputLocation?: unknown
  /** onnxruntime's; checked (a boolean) and ignored. */
  readonly enableGraphCapture?: boolean
  /**
   * Files with tensors of the model. For a model that is given as bytes all must be named; for a path, those that are
   * not in the folder of the model.
   */
  readonly externalData?: readonly ExternalData[]
  /**
   * onnxruntime's, by its names, whole or one level for each part: `{ session: { qdq_matmulnbits_accuracy_level: '0' } }`
   * says what products of weights in blocks that a DequantizeLinear states make of their activations: 4, int8 with a scale
   * for each block; 0 to 3, nothing. Without it: what the file says, else what onnxruntime would. All others are ignored.
   */
  readonly extra?: Readonly<Record<string, unknown>>
  /**
   * Not in onnxruntime. Runs of this session that may be under way at once, 1 to 256; others wait their turn. Each has memory for its
   * intermediate tensors, made when it is first needed and kept until `release`; weights are in memory once. Runs under way
   * share the cores. Default: one more than the cores that the process may use, so that none waits while a result is handed out.
   */
  readonly executions?: number
  /** Not in onnxruntime. Aborting it cancels the creation, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /**
   * Not in onnxruntime. The largest tensor, in bytes, that a run may need: more is `ERR_LIMIT`. Default 2^31 (2 GiB), on
   * 32-bit machines 2^30.
   */
  readonly maxTensorBytes?: number
  /**
   * Not in onnxruntime. `state`: the past of a language model (inputs `past_key_values.N.key` and the like, outputs `present.N.key`)
   * stays in the session (see pastType), and each run appends to it: the model then has no such inputs and outputs, takes the new
   * tokens of one sequence, `[1, tokens]`, and may be fed without masks and positions. Default: none, the past is fed and given.
   */
  readonly past?: 'state'
  /**
   * Not in onnxruntime, and only with `past: 'state'`. `last`: a run gives the logits of its last token alone, `[1, 1, vocabulary]`, and
   * does not compute the others. Default `all`.
   */
  readonly logits?: 'all' | 'last'
  /** Not in onnxruntime. Positions that the past has room for, 1 or more: a run beyond is `ERR_LIMIT`. Default 2048. */
  readonly pastLimit?: number
  /**
   * Not in onnxruntime, and only with `past: 'state'`. What the past is kept as: `int8` takes a quarter of the memory and about 1 % of
   * the size of keys and values in accuracy, with a float32 scale for each head of a position, symmetric; only where
   * GroupQueryAttention reads the past, else `ERR_UNSUPPORTED_OP`. Default `float32`.
   */
  readonly pastType?: 'float32' | 'int8'
  /** Not in onnxruntime. The most iterations of a Loop: more is `ERR_LIMIT`. Default 2^31. */
  readonly maxLoopIterations?: number
}

/** Options of one run. */
export interface RunOptions {
  /** onnxruntime's; checked (0 to 4) and ignored: `env.logLevel` decides what is written. */
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4
  /** onnxruntime's; checked (a non-negative integer) and ignored. */
  readonly logVerbosityLevel?: number
  /** true: the run ends before its first step, with `ERR_ABORTED`. Default false. */
  readonly terminate?: boolean
  /** onnxruntime's; checked (a string) and ignored. */
  readonly tag?: string
  /** onnxruntime's; ignored. */
  readonly extra?: Readonly<Record<string, unknown>>
  /**
   * Not in onnxruntime. Aborting it cancels `run` between two steps, which then rejects with the signal's reason;
   * `runSync` only looks at it before it starts.
   */
  readonly signal?: AbortSignal
}

const PROVIDERS = new Set(['cpu', 'xnnpack'])
const LEVELS = ['disabled', 'basic', 'extended', 'layout', 'all']

/** Checks the types of all options; messages name the option. */
export function checkSessionOptions(options: SessionOptions): void {
  integer(options, 'intraOpNumThreads', 0, 2 ** 31 - 1)
  integer(options, 'interOpNumThreads', 0, 2 ** 31 - 1)
  integer(options, 'logSeverityLevel', 0, 4)
  integer(options, 'logVerbosityLevel', 0, 2 ** 31 - 1)
  integer(options, 'executions', 1, 256)
  integer(options, 'maxTensorBytes', 1, Number.MAX_SAFE_INTEGER)
  integer(options, 'maxLoopIterations', 1, Number.MAX_SAFE_INTEGER)
  integer(options, 'pastLimit', 1, 2 ** 31 - 1)
  oneOf(options, 'past', ['state'])
  oneOf(options, 'logits', ['all', 'last'])
  oneOf(options, 'pastType', ['float32', 'int8'])
  for (const name of ['pastLimit', 'pastType', 'logits'] as const) {
    if (options[name] !== undefined && options.past === undefined)
      throw typeError(`'${name}' is an option of sessions with past: 'state'.`)
  }
  for (const name of [
    'enableCpuMemArena',
    'enableMemPattern',
    'enableProfiling',
    'enableGraphCapture',
  ] as const) {
    typed(options, name, 'boolean')
  }
  for (const name of ['logId', 'optimizedModelFilePath', 'profileFilePrefix'] as const)
    typed(options, name, 'string')
  oneOf(options, 'graphOptimizationLevel', LEVELS)
  oneOf(options, 'executionMode', ['sequential', 'parallel'])
  overrides(options.freeDimensionOverrides)
  const external: unknown = options.externalData
  if (external !== undefined && !Array.isArray(external)) {
    throw typeError(
      `'externalData' should be an array of paths or of { path, data }, got ${typeof external}.`,
    )
  }
  blockActivationsOf(options)
  abortSignal(options)
}

/** Checks the types of the options of one run. */
export function checkRunOptions(options: RunOptions): void {
  integer(options, 'logSeverityLevel', 0, 4)
  integer(options, 'logVerbosityLevel', 0, 2 ** 31 - 1)
  typed(options, 'terminate', 'boolean')
  typed(options, 'tag', 'string')
  abortSignal(options)
}

/** Drops providers that Octavo does not have; throws when none is left. */
export function checkProviders(providers: readonly ExecutionProvider[] | undefined): void {
  if (providers === undefined) return
  if (!Array.isArray(providers)) throw typeError("'executionProviders' should be an array.")
  if (providers.length === 0) return
  const names = providers.map((p) => (typeof p === 'string' ? p : String(p?.name)))
  const unknown = names.filter((name) => !PROVIDERS.has(name))
  if (unknown.length === names.length) {
    const causes = unknown.map((name) => `[${name}] backend not found.`).join(', ')
    throw Object.assign(new Error(`no available backend found. ERR: ${causes}`), { code: 'ERR_OUT_OF_RANGE' })
  }
  for (const name of unknown) log('warning', `execution provider '${name}' is not available: it was dropped.`)
}

function integer<T extends object>(options: T, name: keyof T & string, least: number, most: number): void {
  const value: unknown = options[name]
  if (value === undefined) return
  if (typeof value !== 'number') throw typeError(`'${name}' should be a number, got ${typeof value}.`)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw rangeError(`'${name}' should be an integer in [${least}, ${most}], got ${value}.`)
  }
}

function typed<T extends object>(options: T, name: keyof T & string, type: 'boolean' | 'string'): void {
  const value: unknown = options[name]
  if (value !== undefined && typeof value !== type) {
    throw typeError(`'${name}' should be a ${type}, got ${typeof value}.`)
  }
}

function oneOf(options: SessionOptions, name: keyof SessionOptions, words: readonly string[]): void {
  const value = options[name]
  if (value === undefined) return
  if (typeof value !== 'string' || !words.includes(value)) {
    throw typeError(
      `'${name}' should be one of ${words.map((w) => `'${w}'`).join(', ')}, got ${String(value)}.`,
    )
  }
}

function abortSignal({ signal }: { readonly signal?: unknown }): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw typeError("'signal' should be an AbortSignal.")
}

function overrides(value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null)
    throw typeError("'freeDimensionOverrides' should be an object.")
  for (const [name, size] of Object.entries(value)) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      throw rangeError(
        `'freeDimensionOverrides.${name}' should be a non-negative integer, got ${String(size)}.`,
      )
    }
  }
}
