/** `env`: versions, logging, and the empty flag objects that web backends would use. */
import { fs } from '../builtins.js'
import { binding } from '../native/load.js'

/** How serious a message is, least first. */
export type LogLevel = 'verbose' | 'info' | 'warning' | 'error' | 'fatal'

/** The type of `env`. */
export interface Env {
  /**
   * Messages of this level and above go to stderr. Default `warning`. Assigning another word throws an Error with the
   * code `ERR_OUT_OF_RANGE`; assigning undefined changes nothing.
   */
  logLevel?: LogLevel
  /** onnxruntime's; ignored. Default false. */
  debug?: boolean
  /** onnxruntime's; ignored. Default false. */
  trace?: boolean
  /** Versions, under the names that callers look for. */
  readonly versions: {
    /** The version of onnxruntime-common whose API Octavo follows, as `1.30.0`. */
    readonly common: string
    /** The version of onnxruntime-node whose API Octavo follows: that of `common`. */
    readonly node?: string
    /** Absent: there is no web backend. */
    readonly web?: string
    /** The version of this package. */
    readonly octavo: string
  }
  /**
   * The instruction set whose kernels run, as `x86_avx2`; `octavo doctor` lists all. Reading it loads the native part,
   * and throws `ERR_NATIVE_LOAD` where that fails.
   */
  readonly isa: string
  /** onnxruntime's flags of its WebAssembly backend: an empty object; what is put into it is ignored. */
  wasm: Record<string, unknown>
  /** onnxruntime's flags of its WebGL backend: an empty object; what is put into it is ignored. */
  webgl: Record<string, unknown>
  /** onnxruntime's flags of its WebGPU backend: an empty object; what is put into it is ignored. */
  webgpu: Record<string, unknown>
  /** Flags of other backends, which callers may set and read; Octavo ignores them. */
  [name: string]: unknown
}

const LEVELS: readonly LogLevel[] = ['verbose', 'info', 'warning', 'error', 'fatal']

/** The version of this package, as `0.1.0`. */
export const version: string = readVersion()

function readVersion(): string {
  const text = fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** Version of the onnxruntime API that the surface follows. */
const API_VERSION = '1.30.0'

let level: LogLevel = 'warning'

/**
 * Settings of the process, and what it runs on.
 *
 * @example
 * ```ts
 * import { env } from 'octavo'
 *
 * env.logLevel = 'error'
 * console.log(env.versions.octavo, env.isa)
 * ```
 */
export const env: Env = {
  debug: false,
  trace: false,
  versions: { common: API_VERSION, node: API_VERSION, octavo: version },
  wasm: {},
  webgl: {},
  webgpu: {},
  get isa() {
    return binding().isa
  },
  get logLevel() {
    return level
  },
  set logLevel(value: LogLevel | undefined) {
    if (value === undefined) return
    if (!LEVELS.includes(value)) {
      throw Object.assign(new Error(`Unsupported logging level: ${String(value)}`), {
        code: 'ERR_OUT_OF_RANGE',
      })
    }
    level = value
  },
}
Object.defineProperty(env, 'logLevel', { enumerable: true })

/** Writes to stderr when `severity` is at least the level of `env` (or of the session: 0 verbose ... 4 fatal). */
export function log(severity: LogLevel, message: string, threshold: number = LEVELS.indexOf(level)): void {
  if (LEVELS.indexOf(severity) >= threshold) process.stderr.write(`octavo [${severity}] ${message}\n`)
}
