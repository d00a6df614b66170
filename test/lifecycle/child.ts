/** Scripts in processes of their own, over the built package: what they print, and how they end. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bindingPath } from '../../lib/native/load.js'
import { node } from '../helpers/model.js'
import { bytesOf, constant, feed } from '../malformed/attempt.js'

const built = fileURLToPath(new URL('../../dist/index.js', import.meta.url))
export const isBuilt = existsSync(built)

const SIZE = 384

/** x [n, 384] through 60 matrix products: a run of 2,000 rows takes a good part of a second. */
export function slowModel(): Uint8Array {
  const weights = constant(
    'w',
    'float32',
    [SIZE, SIZE],
    Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 31) % 17) / 1600),
  )
  const nodes = Array.from({ length: 60 }, (_, i) =>
    node('MatMul', [i === 0 ? 'x' : `v${i}`, 'w'], [i === 59 ? 'y' : `v${i + 1}`]),
  )
  return bytesOf({
    nodes,
    feeds: { x: feed('float32', [1, SIZE], [], ['n', SIZE]) },
    initializers: [weights],
  })
}

const PRELUDE = `
  import * as octavo from ${JSON.stringify(pathToFileURL(built).href)}
  import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
  import { createRequire } from 'node:module'
  const require = createRequire(${JSON.stringify(built)})
  const { InferenceSession, Tensor } = octavo
  const rows = (n) => ({ x: new Tensor('float32', new Float32Array(n * ${SIZE}).fill(1), [n, ${SIZE}]) })
  const open = (bytes, options) => InferenceSession.create(bytes, options)
  const tick = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
`

export interface Ended {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a module; there, \`bytes\` is the slow model, and \`worker(source)\` starts a worker whose \`bytes\` it is too. */
export function run(body: string, args: readonly string[] = [], { env = {} }: RunOptions = {}): Ended {
  const model = Buffer.from(slowModel()).toString('base64')
  const script = `${PRELUDE}
    const bytes = new Uint8Array(Buffer.from(${JSON.stringify(model)}, 'base64'))
    const prelude = ${JSON.stringify(PRELUDE)} + 'const bytes = workerData;'
    const worker = (source) => new Worker(
      new URL('data:text/javascript,' + encodeURIComponent(prelude + source)), { workerData: bytes })
    const message = (w) => new Promise((resolve, reject) => { w.once('message', resolve); w.once('error', reject) })
    ${body}`
  const result = spawnSync(process.execPath, [...args, '--input-type=module', '-'], {
    input: script,
    encoding: 'utf8',
    timeout: 100_000,
    env: { ...process.env, OCTAVO_BINARY: bindingPath(), ...env },
  })
  const stderr = result.stderr
    .split('\n')
    .filter((line) => !/^npm |ExperimentalWarning|--trace-warnings/.test(line))
    .join('\n')
  return { status: result.status, signal: result.signal, stdout: result.stdout.trim(), stderr: stderr.trim() }
}
