/** InferenceSession: the class of the onnxruntime JavaScript API, over the engine. */

import { explainPlan, type NodeExplanation } from '../compile/explain.js'
import { type EncodedModel, type Engine, loadModel } from '../compile/run/engine.js'
import { createRunner, type Runner, type RunnerValue } from '../compile/run/runner.js'
import { OctavoError } from '../errors.js'
import { formatDim } from '../graph/expr.js'
import type { Model } from '../graph/graph.js'
import type { StepProfile } from '../native/binding.js'
import { OpenFiles } from '../onnx/open-file.js'
import { readModel } from '../onnx/read.js'
import { recordOf } from '../record.js'
import {
  createArguments,
  type Feeds,
  type Fetches,
  type RunArguments,
  type RunOptions,
  runArguments,
} from './arguments.js'
import { feedOf, tensorOf } from './feeds.js'
import {
  checkProviders,
  checkRunOptions,
  checkSessionOptions,
  type ExecutionProvider,
  type SessionOptions,
} from './options.js'
import { findRecent } from './recent.js'
import type { Tensor } from './tensor.js'
import type { TensorType } from './tensor-types.js'

export interface ValueMetadata {
  readonly name: string
  readonly isTensor: true
  readonly type: TensorType
  /** Sizes; a symbolic one is its name or expression. */
  readonly shape: readonly (number | string)[]
}

export type ReturnType = Record<string, Tensor>

export class InferenceSession {
  #engine: Runner | undefined
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata: readonly ValueMetadata[]
  readonly outputMetadata: readonly ValueMetadata[]

  private constructor(engine: Runner) {
    this.#engine = engine
    this.inputNames = engine.inputs.map((v) => v.name)
    this.outputNames = engine.outputs.map((v) => v.name)
    this.inputMetadata = engine.inputs.map(metadata)
    this.outputMetadata = engine.outputs.map(metadata)
  }

  /** Loads a model from a file, or from its bytes. The work is done off the main thread. */
  static create(path: string, options?: SessionOptions): Promise<InferenceSession>
  static create(buffer: ArrayBufferLike, options?: SessionOptions): Promise<InferenceSession>
  static create(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength?: number,
    options?: SessionOptions,
  ): Promise<InferenceSession>
  static create(buffer: Uint8Array, options?: SessionOptions): Promise<InferenceSession>
  static async create(
    first: unknown,
    second?: unknown,
    third?: unknown,
    fourth?: unknown,
  ): Promise<InferenceSession> {
    const { source, options } = createArguments(first, second, third, fourth)
    checkSessionOptions(options)
    checkProviders(options.executionProviders)
    const { signal } = options
    signal?.throwIfAborted()
    const files = new OpenFiles()
    try {
      const recent = await findRecent(source, options, files)
      if (recent?.model) return new InferenceSession(await load(recent.model, options))
      const externalData = await readBlobs(options.externalData)
      const model = await readModel(source, { externalData, files, signal })
      let encoded: EncodedModel | undefined
      const runner = await compile(model, options, (last) => {
        encoded = last
      })
      if (encoded) await recent?.remember(encoded)
      return new InferenceSession(runner)
    } finally {
      await files.close()
    }
  }

  /** Runs the model off the main thread, unless that takes longer than the run. Feeds are copied before this returns. Several runs may be under way at once (option `executions`); more wait their turn. */
  run(feeds: Feeds, options?: RunOptions): Promise<ReturnType>
  run(feeds: Feeds, fetches: Fetches, options?: RunOptions): Promise<ReturnType>
  async run(feeds: Feeds, second?: Fetches | RunOptions, third?: RunOptions): Promise<ReturnType> {
    const engine = this.engine()
    const call = runArguments(this.inputNames, this.outputNames, feeds, second, third)
    beforeRun(call.options)
    const names = call.fetches && [...call.fetches.keys()]
    const results = await engine.run(this.feeds(engine, call.feeds), names, { signal: call.options.signal })
    return this.returned(call, results, names)
  }

  /** Runs the model on the calling thread: for worker threads, and models of a few microseconds. */
  runSync(feeds: Feeds, options?: RunOptions): ReturnType
  runSync(feeds: Feeds, fetches: Fetches, options?: RunOptions): ReturnType
  runSync(feeds: Feeds, second?: Fetches | RunOptions, third?: RunOptions): ReturnType {
    const engine = this.engine()
    const call = runArguments(this.inputNames, this.outputNames, feeds, second, third)
    beforeRun(call.options)
    const names = call.fetches && [...call.fetches.keys()]
    return this.returned(call, engine.runSync(this.feeds(engine, call.feeds), names), names)
  }

  /** Frees the model; runs in flight finish first. A second call does nothing. */
  async release(): Promise<void> {
    this.#engine?.release()
    this.#engine = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  startProfiling(): void {
    this.engine().setProfiling(true)
  }

  endProfiling(): void {
    this.engine().setProfiling(false)
  }

  /** Microseconds of each step in the last run that was profiled. */
  profile(): (StepProfile & { readonly op: string; readonly nodes: readonly string[] })[] {
    const engine = this.engine()
    return engine.profile().map((p) => {
      const step = engine.plan.steps[p.step]
      return { ...p, op: step?.op ?? '', nodes: step?.nodes ?? [] }
    })
  }

  /** For every node: integer or float, the kernel it got, and why it is float where it is. */
  explain(): NodeExplanation[] {
    const engine = this.engine()
    return explainPlan(engine.plan, engine.kernels())
  }

  /** Kernel of each step, in the order of the steps. */
  get kernels(): readonly string[] {
    return this.engine().kernels()
  }

  private engine(): Runner {
    if (this.#engine) return this.#engine
    throw new OctavoError('ERR_SESSION_DISPOSED', 'Session already disposed.')
  }

  private feeds(engine: Runner, feeds: Feeds) {
    return recordOf(this.inputNames, (name, i) =>
      feedOf(engine.inputs[i] as RunnerValue, feeds[name] as Feeds[string]),
    )
  }

  private returned(
    { fetches }: RunArguments,
    results: Awaited<globalThis.ReturnType<Engine['run']>>,
    names = this.outputNames,
  ): ReturnType {
    return recordOf(names, (name) => {
      const output = results[name]
      if (!output)
        throw new OctavoError('ERR_INTERNAL', `the engine gave no output '${name}'`, { tensor: name })
      return tensorOf(name, output, fetches?.get(name) ?? null)
    })
  }
}

/** The names that onnxruntime gives these types. */
export declare namespace InferenceSession {
  type OnnxValueMapType = Readonly<Record<string, Tensor>>
  type NullableOnnxValueMapType = Readonly<Record<string, Tensor | null>>
  type FeedsType = Feeds
  type FetchesType = Fetches
  type ReturnType = Readonly<Record<string, Tensor>>
  type SessionOptions = Options
  type RunOptions = OptionsOfRun
  type ValueMetadata = TensorMetadata
  type TensorValueMetadata = TensorMetadata
  type ExecutionProviderConfig = ExecutionProvider
  type ExecutionProviderOption = Exclude<ExecutionProvider, string>
}

type Options = SessionOptions
type OptionsOfRun = RunOptions
type TensorMetadata = ValueMetadata

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

function beforeRun(options: RunOptions): void {
  checkRunOptions(options)
  options.signal?.throwIfAborted()
  if (options.terminate)
    throw new OctavoError('ERR_ABORTED', 'Exiting due to terminate flag being set to true.')
}

async function compile(
  model: Model,
  options: SessionOptions,
  onEncoded: (model: EncodedModel) => void,
): Promise<Runner> {
  const optimize = options.graphOptimizationLevel !== 'disabled'
  const { optimizedModelFilePath: file } = options
  const runner = await createRunner(model.graph, {
    ...loadOptions(options),
    overrides: options.freeDimensionOverrides,
    selection: optimize ? 'all' : 'required',
    fuse: optimize,
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

function metadata({ name, dtype, shape = [] }: RunnerValue): ValueMetadata {
  const sizes = shape.map((d) => (typeof d === 'number' ? d : formatDim(d)))
  return { name, isTensor: true, type: dtype as TensorType, shape: sizes }
}
