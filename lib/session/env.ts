/** `env`: versions, logging, and the empty flag objects that web backends would use. */
import { fs } from '../builtins.js'
import { binding } from '../native/load.js'

export type LogLevel = 'verbose' | 'info' | 'warning' | 'error' | 'fatal'

export interface Env {
  logLevel?: LogLevel
  debug?: boolean
  trace?: boolean
  /** Version of this package, under the names that callers look for. */
  readonly versions: {
    readonly common: string
    readonly node?: string
    readonly web?: string
    readonly octavo: string
  }
  /** Instruction set whose kernels run. */
  readonly isa: string
  wasm: Record<string, unknown>
  webgl: Record<string, unknown>
  webgpu: Record<string, unknown>
  [name: string]: unknown
}

const LEVELS: readonly LogLevel[] = ['verbose', 'info', 'warning', 'error', 'fatal']

/** The version of this package. */
export const version: string = readVersion()

function readVersion(): string {
  const text = fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** Version of the onnxruntime API that the surface follows. */
const API_VERSION = '1.30.0'

let level: LogLevel = 'warning'

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
