/** A model file as what runs it, by the options of `InferenceSession.create`. */
import { createRunner } from '../compile/run/create.js'
import { type EncodedModel, loadModel } from '../compile/run/engine.js'
import type { Runner } from '../compile/run/runner.js'
import type { Model } from '../graph/graph.js'
import { OpenFiles } from '../onnx/open-file.js'
import { readModel } from '../onnx/read.js'
import { blockActivationsOf } from './extra.js'
import { checkProviders, checkSessionOptions, type SessionOptions } from './options.js'
import { graphWithPast, type Past } from './past.js'
import { findRecent } from './recent.js'

interface OpenedModel {
  readonly runner: Runner
  readonly past?: Past
}

export async function openModel(source: string | Uint8Array, options: SessionOptions): Promise<OpenedModel> {
  checkSessionOptions(options)
  checkProviders(options.executionProviders)
  const { signal } = options
  signal?.throwIfAborted()
  const files = new OpenFiles()
  try {
    const recent = await findRecent(source, options, files)
    if (recent?.model) return { runner: await load(recent.model, options) }
    const externalData = await readBlobs(options.externalData)
    const model = await readModel(source, { externalData, files, signal })
    if (options.past) {
      const { graph, past } = graphWithPast(model.graph, options)
      return { runner: await compile({ ...model, graph }, options), past }
    }
    let encoded: EncodedModel | undefined
    const runner = await compile(model, options, (last) => {
      encoded = last
    })
    if (encoded) await recent?.remember(encoded)
    return { runner }
  } finally {
    await files.close()
  }
}

async function readBlobs(files: SessionOptions['externalData'] = []) {
  return Promise.all(
    files.map(async (file) => {
      if (typeof file === 'string') return file
      const { path, data } = file
      if (data instanceof SharedArrayBuffer) return { path, data: new Uint8Array(data) }
      return { path, data: data instanceof Blob ? await data.arrayBuffer() : data }
    }),
  )
}

async function compile(
  model: Model,
  options: SessionOptions,
  onEncoded?: (model: EncodedModel) => void,
): Promise<Runner> {
  const optimize = options.graphOptimizationLevel !== 'disabled'
  const { optimizedModelFilePath: file } = options
  const runner = await createRunner(model.graph, {
    ...loadOptions(options),
    overrides: options.freeDimensionOverrides,
    selection: optimize ? 'all' : 'required',
    fuse: optimize,
    blockActivations: blockActivationsOf(options),
    onEncoded,
    onPrepared: async (graph) => {
      if (file === undefined) return
      const { writeOptimized } = await import('./optimized.js')
      await writeOptimized(file, { ...model, graph })
    },
  })
  if (options.enableProfiling) runner.setProfiling(true)
  return runner
}

async function load(model: EncodedModel, options: SessionOptions): Promise<Runner> {
  const engine = await loadModel(model, loadOptions(options))
  if (options.enableProfiling) engine.setProfiling(true)
  return engine
}

function loadOptions(options: SessionOptions) {
  const { intraOpNumThreads, executions, maxTensorBytes, maxLoopIterations, signal } = options
  return { threads: intraOpNumThreads || undefined, executions, maxTensorBytes, maxLoopIterations, signal }
}
