/** InferenceSession: the class of the onnxruntime JavaScript API, over the engine. */

import { explainPlan, type NodeExplanation } from '../compile/explain-steps.js'
import type { Engine } from '../compile/run/engine.js'
import type { Runner, RunnerValue } from '../compile/run/runner.js'
import { OctavoError, typeError } from '../errors.js'
import type { StepProfile } from '../native/binding.js'
import { PAST_LENGTH } from '../passes/past-to-states.js'
import { recordOf } from '../record.js'
import { createArguments, type Feeds, type Fetches, type RunArguments, runArguments } from './arguments.js'
import { feedOf, tensorOf } from './feeds.js'
import { metadata, type ValueMetadata } from './metadata.js'
import { openModel } from './open.js'
import { checkRunOptions, type ExecutionProvider, type RunOptions, type SessionOptions } from './options.js'
import type { Past } from './past.js'
import type { Tensor } from './tensor.js'

export type { ValueMetadata } from './metadata.js'

/** What a run gives: its outputs by name. */
export type ReturnType = Record<string, Tensor>

/**
 * A loaded model: `InferenceSession.create` makes it, `run` runs it, `release` frees it.
 *
 * @example
 * ```ts
 * import { InferenceSession, Tensor } from 'octavo'
 *
 * const session = await InferenceSession.create('model.onnx')
 * const feeds = { input: new Tensor('float32', new Float32Array(3 * 224 * 224), [1, 3, 224, 224]) }
 * for (const [name, { type, dims }] of Object.entries(await session.run(feeds))) console.log(name, type, dims)
 * await session.release()
 * ```
 */
export class InferenceSession {
  #engine: Runner | undefined
  readonly #past: Past | undefined
  /** Names of the inputs, in the order of the model. */
  readonly inputNames: readonly string[]
  /** Names of the outputs, in the order of the model. */
  readonly outputNames: readonly string[]
  /** The inputs, in the order of `inputNames`. */
  readonly inputMetadata: readonly ValueMetadata[]
  /** The outputs, in the order of `outputNames`. */
  readonly outputMetadata: readonly ValueMetadata[]

  private constructor(engine: Runner, past?: Past) {
    this.#engine = engine
    this.#past = past
    // The last one is how long the past is: see `pastToStates`.
    const inputs = past ? engine.inputs.slice(0, -1) : engine.inputs
    this.inputNames = inputs.map((v) => v.name)
    this.outputNames = engine.outputs.map((v) => v.name)
    this.inputMetadata = inputs.map(metadata)
    this.outputMetadata = engine.outputs.map(metadata)
  }

  /**
   * Loads a model from a file. Weights are packed off the main thread, and the event loop is not held up.
   *
   * @example
   * ```ts
   * import { InferenceSession } from 'octavo'
   *
   * const session = await InferenceSession.create('model.int8.onnx', { intraOpNumThreads: 1 })
   * console.log(session.inputMetadata, session.outputMetadata)
   * await session.release()
   * ```
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: the first argument is neither a path nor bytes; an option is of the
   * wrong kind.
   * @throws {RangeError} `ERR_OUT_OF_RANGE`: an option, byteOffset or byteLength is out of its range.
   * @throws {Error} `ERR_OUT_OF_RANGE`: none of the execution providers is one of Octavo's.
   * @throws {OctavoError} `ERR_IO`: the file is not there or cannot be read, or `optimizedModelFilePath` not written.
   * @throws {OctavoError} `ERR_MODEL_PARSE`: it is not an ONNX file.
   * @throws {OctavoError} `ERR_MODEL_INVALID`: the model breaks a rule of ONNX; the message names the node or value.
   * @throws {OctavoError} `ERR_UNSUPPORTED_OP`: the model has operators, or forms of them, that Octavo lacks.
   * @throws {OctavoError} `ERR_UNSUPPORTED_OPSET`: the model is of an opset that Octavo does not know.
   * @throws {OctavoError} `ERR_EXTERNAL_DATA`: a file of external data is missing, too short, or outside of the folder.
   * @throws {OctavoError} `ERR_SHAPE_MISMATCH`, `ERR_RUN`: a node whose inputs are all constants cannot be computed.
   * @throws {OctavoError} `ERR_LIMIT`: the model is larger than `maxTensorBytes`, other limits or the memory allow.
   * @throws {OctavoError} `ERR_NATIVE_LOAD`: the native part does not load on this machine.
   */
  static create(path: string, options?: SessionOptions): Promise<InferenceSession>
  /** Loads a model from the bytes of its file. They must not change before the promise settles, nor later where each size is compiled anew. */
  static create(buffer: ArrayBufferLike, options?: SessionOptions): Promise<InferenceSession>
  /**
   * Loads a model from a part of a buffer. It must not change before the promise settles, nor later where each
   * size is compiled anew.
   *
   * @param byteOffset Where the file starts, in bytes.
   * @param byteLength Bytes of the file. Default: up to the end of the buffer.
   */
  static create(
    buffer: ArrayBufferLike,
    byteOffset: number,
    byteLength?: number,
    options?: SessionOptions,
  ): Promise<InferenceSession>
  /** Loads a model from the bytes of its file. They must not change before the promise settles, nor later where each size is compiled anew. */
  static create(buffer: Uint8Array, options?: SessionOptions): Promise<InferenceSession>
  static async create(
    first: unknown,
    second?: unknown,
    third?: unknown,
    fourth?: unknown,
  ): Promise<InferenceSession> {
    const { source, options } = createArguments(first, second, third, fourth)
    const { runner, past } = await openModel(source, options)
    return new InferenceSession(runner, past)
  }

  /**
   * Runs the model and gives all outputs. The work is done off the main thread, unless that takes longer than the run.
   * Feeds are copied before this returns. Several runs may be under way at once (option `executions`); more wait their turn.
   *
   * @example
   * ```ts
   * import { InferenceSession, Tensor } from 'octavo'
   *
   * const session = await InferenceSession.create('classifier.onnx')
   * const input = new Tensor('float32', new Float32Array(3 * 224 * 224), [1, 3, 224, 224])
   * const { logits } = await session.run({ input }, ['logits'], { signal: AbortSignal.timeout(1000) })
   * console.log(logits?.dims, logits?.data)
   * ```
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: feeds, fetches or options are of the wrong kind.
   * @throws {RangeError} `ERR_OUT_OF_RANGE`: a fetch is no output of the model; an option is out of its range.
   * @throws {OctavoError} `ERR_MISSING_INPUT`: the feeds lack an input.
   * @throws {OctavoError} `ERR_DTYPE_MISMATCH`: a feed has another element type than the input.
   * @throws {OctavoError} `ERR_SHAPE_MISMATCH`: a feed has other sizes than the input, or than another feed allows; a
   * tensor to write into is not of the output's type and sizes.
   * @throws {OctavoError} `ERR_LIMIT`: the run needs more memory than there is, a larger tensor than `maxTensorBytes`,
   * or more iterations than `maxLoopIterations`.
   * @throws {OctavoError} `ERR_RUN`: the data cannot be computed with; the error names the node.
   * @throws {OctavoError} `ERR_ABORTED`: `terminate` is set. An aborted `signal` rejects with its reason.
   * @throws {OctavoError} `ERR_SESSION_DISPOSED`: the session was released.
   */
  run(feeds: Feeds, options?: RunOptions): Promise<ReturnType>
  /** Runs the model and gives the outputs that `fetches` names. */
  run(feeds: Feeds, fetches: Fetches, options?: RunOptions): Promise<ReturnType>
  async run(feeds: Feeds, second?: Fetches | RunOptions, third?: RunOptions): Promise<ReturnType> {
    const engine = this.engine()
    const call = this.arguments(feeds, second, third)
    const names = call.fetches && [...call.fetches.keys()]
    const { signal } = call.options
    const fed = this.feeds(engine, call.feeds)
    const results = this.#past
      ? await this.#past.append(call.feeds, (length) =>
          engine.run({ ...fed, [PAST_LENGTH]: length }, names, { signal }),
        )
      : await engine.run(fed, names, { signal })
    return this.returned(call, results, names)
  }

  /**
   * Runs the model on the calling thread and gives all outputs: for worker threads, and models of a few microseconds.
   * Not in onnxruntime. Where as many runs are under way as `executions` allows, it waits for the oldest of them, ahead of
   * those in the queue.
   *
   * @example
   * ```ts
   * import { InferenceSession, Tensor } from 'octavo'
   *
   * const session = await InferenceSession.create('keywords.int8.onnx', { intraOpNumThreads: 1 })
   * const samples = new Tensor('float32', new Float32Array(490), [1, 1, 49, 10])
   * const { scores } = session.runSync({ samples })
   * console.log(scores?.data)
   * ```
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: feeds, fetches or options are of the wrong kind.
   * @throws {RangeError} `ERR_OUT_OF_RANGE`: a fetch is no output of the model; an option is out of its range.
   * @throws {OctavoError} `ERR_MISSING_INPUT`: the feeds lack an input.
   * @throws {OctavoError} `ERR_DTYPE_MISMATCH`: a feed has another element type than the input.
   * @throws {OctavoError} `ERR_SHAPE_MISMATCH`: as for `run`.
   * @throws {OctavoError} `ERR_LIMIT`: as for `run`.
   * @throws {OctavoError} `ERR_RUN`: as for `run`; or the model is compiled for the sizes that it is fed, and `run` was
   * not called with these before.
   * @throws {OctavoError} `ERR_ABORTED`: `terminate` is set. A `signal` that is aborted already throws its reason.
   * @throws {OctavoError} `ERR_SESSION_DISPOSED`: the session was released.
   */
  runSync(feeds: Feeds, options?: RunOptions): ReturnType
  /** Runs the model on the calling thread and gives the outputs that `fetches` names. */
  runSync(feeds: Feeds, fetches: Fetches, options?: RunOptions): ReturnType
  runSync(feeds: Feeds, second?: Fetches | RunOptions, third?: RunOptions): ReturnType {
    const engine = this.engine()
    const call = this.arguments(feeds, second, third)
    const names = call.fetches && [...call.fetches.keys()]
    const fed = this.feeds(engine, call.feeds)
    const results = this.#past
      ? this.#past.appendSync(call.feeds, (length) =>
          engine.runSync({ ...fed, [PAST_LENGTH]: length }, names),
        )
      : engine.runSync(fed, names)
    return this.returned(call, results, names)
  }

  /**
   * Frees the model. Runs that were called before still finish, and the memory is freed after the last of them; later
   * calls fail with `ERR_SESSION_DISPOSED`. A second call does nothing.
   */
  async release(): Promise<void> {
    this.#engine?.release()
    this.#engine = undefined
  }

  /** `release()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release()
  }

  /** Positions of the past that are filled; undefined where the session keeps none (option `past`). Not in onnxruntime. */
  get pastLength(): number | undefined {
    return this.#past?.length
  }

  /** Bytes of the past that are filled, over all layers; undefined where the session keeps none. Not in onnxruntime. */
  get pastBytes(): number | undefined {
    return this.#past?.bytes
  }

  /**
   * Forgets the past, but for its first `length` positions (default 0). Not in onnxruntime.
   *
   * @example
   * ```ts
   * import { generate, InferenceSession } from 'octavo'
   *
   * const session = await InferenceSession.create('model_q4.onnx', { past: 'state' })
   * for await (const { token } of generate(session, [1, 385, 328])) console.log(token)
   * session.reset()
   * ```
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: the session keeps no past.
   * @throws {RangeError} `ERR_OUT_OF_RANGE`: the past has fewer positions.
   * @throws {OctavoError} `ERR_RUN`: a run is under way.
   * @throws {OctavoError} `ERR_SESSION_DISPOSED`: the session was released.
   */
  reset(length = 0): void {
    this.past().shorten(length)
  }

  /**
   * Another session over the same weights, whose past is a copy of this one's and goes its own way. Each is released on its own.
   * Not in onnxruntime.
   *
   * @example
   * ```ts
   * import { generate, InferenceSession } from 'octavo'
   *
   * const session = await InferenceSession.create('model_q4.onnx', { past: 'state' })
   * for await (const _ of generate(session, [1, 385, 328], { maxTokens: 1 })) console.log(session.pastLength)
   * const other = session.fork()
   * for await (const { token } of generate(other, [12], { temperature: 1, seed: 7 })) console.log(token)
   * ```
   *
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: the session keeps no past.
   * @throws {OctavoError} `ERR_RUN`: a run is under way.
   * @throws {OctavoError} `ERR_LIMIT`: there is no memory for the copy.
   * @throws {OctavoError} `ERR_SESSION_DISPOSED`: the session was released.
   */
  fork(): InferenceSession {
    const past = this.past().copy()
    return new InferenceSession(this.engine().fork(), past)
  }

  /** From the next run on, steps are timed for `profile()`. Throws `ERR_SESSION_DISPOSED` once released. */
  startProfiling(): void {
    this.engine().setProfiling(true)
  }

  /** Runs are no longer timed. No file is written: `profile()` has the times. */
  endProfiling(): void {
    this.engine().setProfiling(false)
  }

  /**
   * How long each step took in the last run that was timed, in the order of execution; `[]` where none was. A step may
   * compute several nodes. Not in onnxruntime.
   */
  profile(): (StepProfile & {
    /** What the step does, as `QConv` (docs/steps.md lists all). */
    readonly op: string
    /** Names of the nodes of the model that the step computes; `[]` for one that Octavo added. */
    readonly nodes: readonly string[]
  })[] {
    const engine = this.engine()
    return engine.profile().map((p) => {
      const step = engine.plan.steps[p.step]
      return { ...p, op: step?.op ?? '', nodes: step?.nodes ?? [] }
    })
  }

  /**
   * For every node: integer or float, the kernel it got, and why it is float where it is. In the order of the steps; not
   * in onnxruntime. A model that is compiled for the sizes that it is fed has an answer after its first run, and
   * throws `ERR_RUN` before.
   */
  explain(): NodeExplanation[] {
    const engine = this.engine()
    return explainPlan(engine.plan, engine.kernels())
  }

  /** Name of the kernel of each step, in the order of the steps; `''` for a step with one implementation. Not in onnxruntime. */
  get kernels(): readonly string[] {
    return this.engine().kernels()
  }

  private engine(): Runner {
    if (this.#engine) return this.#engine
    throw new OctavoError('ERR_SESSION_DISPOSED', 'Session already disposed.')
  }

  private arguments(feeds: Feeds, second?: Fetches | RunOptions, third?: RunOptions): RunArguments {
    const complete = this.#past?.complete(feeds) ?? feeds
    const call = runArguments(this.inputNames, this.outputNames, complete, second, third)
    beforeRun(call.options)
    return call
  }

  private past(): Past {
    this.engine()
    if (this.#past) return this.#past
    throw typeError("the session keeps no past: it was not created with the option past: 'state'.")
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
  /** Tensors by name. */
  type OnnxValueMapType = Readonly<Record<string, Tensor>>
  /** Tensors by name, or null for those that are to be made. */
  type NullableOnnxValueMapType = Readonly<Record<string, Tensor | null>>
  /** A tensor for every input, by its name. */
  type FeedsType = Feeds
  /** Which outputs a run gives, and where it writes them. */
  type FetchesType = Fetches
  /** What a run gives: its outputs by name. */
  type ReturnType = Readonly<Record<string, Tensor>>
  /** Options of `create`. */
  type SessionOptions = Options
  /** Options of one run. */
  type RunOptions = OptionsOfRun
  /** An input or output of a model. */
  type ValueMetadata = TensorMetadata
  /** The same: every value is a tensor. */
  type TensorValueMetadata = TensorMetadata
  /** An execution provider, as a name or an object. */
  type ExecutionProviderConfig = ExecutionProvider
  /** An execution provider as an object. */
  type ExecutionProviderOption = Exclude<ExecutionProvider, string>
}

/** `SessionOptions` of this module, which the namespace's own name hides. */
type Options = SessionOptions
/** `RunOptions` of this module, which the namespace's own name hides. */
type OptionsOfRun = RunOptions
/** `ValueMetadata` of this module, which the namespace's own name hides. */
type TensorMetadata = ValueMetadata

function beforeRun(options: RunOptions): void {
  checkRunOptions(options)
  options.signal?.throwIfAborted()
  if (options.terminate)
    throw new OctavoError('ERR_ABORTED', 'Exiting due to terminate flag being set to true.')
}
