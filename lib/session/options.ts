/** Options of InferenceSession.create: checked, and reduced to what the engine needs. */
import { rangeError, typeError } from '../errors.js'
import type { RunOptions } from './arguments.js'
import { log } from './env.js'

export interface ExternalDataDescription {
  readonly path: string
  /** A path, or the bytes (a Blob is read). */
  readonly data: string | ArrayBufferLike | Uint8Array | Blob
}

export type ExternalData = string | ExternalDataDescription

export type ExecutionProvider = string | { readonly name: string }

export interface SessionOptions {
  /** 'cpu' (and 'xnnpack', for which the CPU stands in); others are dropped with a warning. */
  readonly executionProviders?: readonly ExecutionProvider[]
  /** Threads used inside one run; 0 or absent: the physical cores that the process may use. */
  readonly intraOpNumThreads?: number
  readonly interOpNumThreads?: number
  readonly freeDimensionOverrides?: Readonly<Record<string, number>>
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all'
  readonly enableCpuMemArena?: boolean
  readonly enableMemPattern?: boolean
  readonly executionMode?: 'sequential' | 'parallel'
  /** Where to write the model as it is after graph preparation. */
  readonly optimizedModelFilePath?: string
  readonly enableProfiling?: boolean
  readonly profileFilePrefix?: string
  readonly logId?: string
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4
  readonly logVerbosityLevel?: number
  readonly preferredOutputLocation?: unknown
  readonly enableGraphCapture?: boolean
  readonly externalData?: readonly ExternalData[]
  readonly extra?: Readonly<Record<string, unknown>>
  /**
   * Octavo: runs of this session that may be under way at once, 1 to 256; others wait their turn. Each has memory for its
   * intermediate tensors, made when it is first needed and kept until `release`; weights are in memory once. Runs under way
   * share the cores. Default: one more than the cores that the process may use, so that none waits while a result is handed out.
   */
  readonly executions?: number
  /** Octavo: cancels the creation. */
  readonly signal?: AbortSignal
  /** Octavo: largest tensor, in bytes, that a run may need. Default 2 GiB, on 32-bit machines 1 GiB. */
  readonly maxTensorBytes?: number
  /** Octavo: most iterations of a Loop. Default 2^31. */
  readonly maxLoopIterations?: number
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
