// The engines with one interface: open() gives what runs once over a fixed input, and what comes of it.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const OCTAVO = 'octavo'
export const PEER = 'onnxruntime'
/** Another build of Octavo. */
export const BASE = 'base'

/** The module of an engine; folder: where node_modules with onnxruntime-node is, or a built clone of Octavo. */
export async function load(engine, folder) {
  if (engine === OCTAVO) return import('../../dist/index.js')
  if (engine === BASE) return import(pathToFileURL(join(folder, 'dist', 'index.js')).href)
  return createRequire(join(folder, 'index.js'))('onnxruntime-node')
}

/**
 * run: one run by the given mode, 'run' or 'runSync'; outputs: what it computed. Of Octavo alone, kernels: those of the steps;
 * profile: the times of the steps, with `profiling`.
 */
export async function open(module, { path, dims, data, threads = 1, mode = 'run', profiling = false }) {
  const session = await module.InferenceSession.create(path, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    enableProfiling: profiling,
  })
  const feeds = { [session.inputNames[0]]: new module.Tensor('float32', data, dims) }
  return {
    run: mode === 'runSync' ? () => session.runSync(feeds) : () => session.run(feeds),
    isSync: mode === 'runSync',
    kernels: session.kernels,
    profile: () => session.profile(),
    outputs: async () => Object.values(await session.run(feeds)),
    release: () => session.release(),
  }
}
