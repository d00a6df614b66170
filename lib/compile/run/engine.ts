/**
 * A graph that runs: compiled to a plan, loaded by the addon. Calibration, constant folding, comparison and
 * InferenceSession all run models through this.
 */
import { nextTurn } from '../../builtins.js'
import { OctavoError } from '../../errors.js'
import { DTYPES, type DType, dtypeFromOnnx } from '../../graph/dtype.js'
import type { Dim } from '../../graph/expr.js'
import type { BlockActivations, Graph } from '../../graph/graph.js'
import { isVerifying } from '../../graph/verify-pass.js'
import type {
  NativeMemory,
  NativeModel,
  NativeOutputs,
  NativeToken,
  StepProfile,
} from '../../native/binding.js'
import { binding } from '../../native/load.js'
import { type Inference, inferGraph } from '../../ops/core/infer.js'
import { type EncodedPlan, encodePlan } from '../../plan/encode.js'
import type { Plan, PlanStep } from '../../plan/plan.js'
import { recordOf } from '../../record.js'
import type { Observation } from '../../statistics/observation.js'
import type { StatisticRecord } from '../../statistics/record.js'
import { finishPlan } from '../finish.js'
import { lowerGraph } from '../lower/lower.js'
import type { StepCheck } from '../steps/index.js'
import { QuickRuns } from './quick-run.js'
import { readStatistic } from './read-statistic.js'
import { StateStore } from './state-store.js'

export interface EngineTensor {
  readonly dtype: DType
  readonly dims: readonly number[]
  /** Dense bytes, little endian; copied when the call is made. */
  readonly data: Uint8Array
}

export interface EngineOutput {
  readonly dtype: DType
  readonly dims: number[]
  readonly data: ArrayBuffer
}

export interface EngineValue {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly Dim[]
}

export interface CompileOptions {
  /** Threads of one run. Default: the cores that the process may use. */
  readonly threads?: number
  /** Runs that may be under way at once (see `LoadOptions` of the addon). */
  readonly executions?: number
  /** Where the graph's states are, or are added with their first values; engines over one store share them. Default: a new one. */
  readonly states?: StateStore
  /** Numbers for symbolic sizes, by name, as `{ batch: 1 }`. */
  readonly overrides?: Readonly<Record<string, number>>
  /** false: every node as its own float steps (graphOptimizationLevel 'disabled'). */
  readonly fuse?: boolean
  /** What products of weights in blocks make of float rows. Default: what the graph says, else what onnxruntime would. */
  readonly blockActivations?: BlockActivations
  readonly observe?: readonly Observation[]
  /** Values to give out besides the graph's outputs. */
  readonly extraOutputs?: readonly string[]
  readonly maxTensorBytes?: number
  readonly maxLoopIterations?: number
  /** Aborting it cancels the work, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Sees what the addon is given. */
  readonly onEncoded?: (model: EncodedModel) => void
}

/** A compiled graph as the addon loads it, any number of times. */
export interface EncodedModel extends EncodedPlan {
  readonly inputs: readonly EngineValue[]
  readonly outputs: readonly EngineValue[]
  /** Without the bytes of constants. */
  readonly plan: Plan
}

export interface RunOptions {
  readonly signal?: AbortSignal
}

export class Engine {
  readonly #quick = new QuickRuns()
  readonly #outputNames: readonly string[]
  readonly hasPlan = true
  #running = 0

  constructor(
    private readonly native: NativeModel,
    readonly inputs: readonly EngineValue[],
    readonly outputs: readonly EngineValue[],
    readonly plan: Plan,
  ) {
    this.#outputNames = outputs.map((o) => o.name)
  }

  get steps(): readonly PlanStep[] {
    return this.plan.steps
  }

  /**
   * Runs off the main thread, but for runs so short that it would only cost time. Feeds are copied before this returns its
   * promise. Without `outputs`: all.
   */
  async run(
    feeds: Readonly<Record<string, EngineTensor>>,
    outputs?: readonly string[],
    { signal }: RunOptions = {},
  ): Promise<Record<string, EngineOutput>> {
    signal?.throwIfAborted()
    const wanted = this.positions(outputs)
    const { data, types } = this.inOrder(feeds)
    const began = performance.now()
    try {
      if (this.#running === 0 && this.#quick.isQuick(types)) {
        const results = this.native.runSync(data, types, wanted)
        this.#quick.ranHere(performance.now() - began)
        // One run after the other must leave room for all else.
        await nextTurn()
        signal?.throwIfAborted()
        return this.named(results, outputs)
      }
      ++this.#running
      const run = cancellable(signal, (token) => this.native.run(data, types, wanted, token))
      const results = await run.finally(() => {
        --this.#running
      })
      this.#quick.ranElsewhere(types, performance.now() - began)
      return this.named(results, outputs)
    } catch (error) {
      throw withNode(error, this.plan)
    }
  }

  /** Runs on the calling thread: for worker threads and tiny models. Without `outputs`: all. */
  runSync(
    feeds: Readonly<Record<string, EngineTensor>>,
    outputs?: readonly string[],
  ): Record<string, EngineOutput> {
    const { data, types } = this.inOrder(feeds)
    try {
      return this.named(this.native.runSync(data, types, this.positions(outputs)), outputs)
    } catch (error) {
      throw withNode(error, this.plan)
    }
  }

  /** What an observation has gathered; undefined: the plan has no such state (the value is not float32, for example). */
  readStatistic<O extends Observation>(observation: O): StatisticRecord<O['kind']> | undefined {
    return readStatistic(this.plan, observation, (name) => this.native.readState(name))
  }

  /** The graph's states, and those of others that were compiled over the same store. */
  get states(): StateStore {
    return new StateStore(this.native.states())
  }

  /** Another engine over the same weights, whose states are copies of these. */
  fork(): Engine {
    return new Engine(this.native.fork(), this.inputs, this.outputs, this.plan)
  }

  /** Kernel of each step, in step order; '' where a step has none. */
  kernels(): string[] {
    return this.native.kernels()
  }

  setProfiling(on: boolean): void {
    this.native.setProfiling(on)
  }

  profile(): StepProfile[] {
    return this.native.profile()
  }

  memory(): NativeMemory {
    return this.native.memory()
  }

  release(): void {
    this.native.release()
  }

  private inOrder(feeds: Readonly<Record<string, EngineTensor>>): {
    data: Uint8Array[]
    types: Float64Array
  } {
    const data: Uint8Array[] = []
    const types: number[] = []
    for (const { name } of this.inputs) {
      const feed = feeds[name]
      if (!feed) {
        throw new OctavoError('ERR_MISSING_INPUT', `input '${name}' is missing in 'feeds'.`, { tensor: name })
      }
      data.push(feed.data)
      types.push(DTYPES[feed.dtype].onnx, feed.dims.length)
      for (const size of feed.dims) types.push(size)
    }
    return { data, types: new Float64Array(types) }
  }

  private positions(outputs: readonly string[] | undefined): number[] | undefined {
    return outputs?.map((name) => {
      const i = this.#outputNames.indexOf(name)
      if (i < 0) throw new OctavoError('ERR_INTERNAL', `the plan has no output '${name}'`, { tensor: name })
      return i
    })
  }

  private named(results: NativeOutputs, names = this.#outputNames): Record<string, EngineOutput> {
    let at = 0
    return recordOf(names, () => {
      const data = results[at] as ArrayBuffer
      const dtype = dtypeFromOnnx(results[at + 1] as number) as DType
      const end = at + 3 + (results[at + 2] as number)
      const dims = results.slice(at + 3, end) as number[]
      at = end
      return { dtype, dims, data }
    })
  }
}

/** An error of a step as an error of the node that the step computes. */
function withNode(error: unknown, plan: Plan): unknown {
  if (!(error instanceof OctavoError) || error.code === 'ERR_ABORTED') return error
  const step = plan.steps[(error.cause as { step?: number } | undefined)?.step ?? -1]
  const node = step?.nodes[0]
  if (node === undefined) return error
  return new OctavoError(error.code, `node "${node}": ${error.message}`, {
    node,
    opType: step?.op,
    tensor: error.tensor,
    cause: error.cause,
  })
}

/** Compiles a graph as it is. */
export async function compileGraph(graph: Graph, options: CompileOptions = {}): Promise<Engine> {
  options.signal?.throwIfAborted()
  const check = isVerifying() ? await import('../steps/check.js') : undefined
  const { plan, inputs, outputs } = compilePlan(graph, options, check)
  const encoded = { ...encodePlan(plan), inputs, outputs, plan: withoutData(plan) }
  options.onEncoded?.(encoded)
  return loadModel(encoded, options)
}

export async function loadModel(model: EncodedModel, options: CompileOptions = {}): Promise<Engine> {
  const { threads, executions, maxTensorBytes, maxLoopIterations, signal } = options
  signal?.throwIfAborted()
  const states = options.states?.native
  const loading = { threads, executions, states, maxTensorBytes, maxLoopIterations }
  const native = await cancellable(signal, (token) =>
    binding().load(model.words, model.buffers, loading, token),
  )
  return new Engine(native, model.inputs, model.outputs, model.plan)
}

export interface CompiledPlan {
  readonly plan: Plan
  readonly inputs: readonly EngineValue[]
  readonly outputs: readonly EngineValue[]
}

export function compilePlan(graph: Graph, options: CompileOptions = {}, check?: StepCheck): CompiledPlan {
  const { overrides, observe, fuse = true, extraOutputs = [] } = options
  const extended = extraOutputs.length === 0 ? graph : withOutputs(graph, extraOutputs)
  const info = inferGraph(extended, { overrides })
  const { blockActivations = graph.blockActivations } = options
  const passes = { activations: binding().activations, fuse, blockActivations, check }
  const { draft, symbols } = lowerGraph(extended, info, {
    observe,
    finish: (d, s) => finishPlan(d, s, passes),
  })
  const plan = finishPlan(draft, symbols, passes)
  return { plan, inputs: valuesOf(extended.inputs, info), outputs: valuesOf(extended.outputs, info) }
}

/** The addon has packed the constants: what remains is what errors and `explain` ask for. */
function withoutData(plan: Plan): Plan {
  const tensors = plan.tensors.map(({ name, dtype, dims, kind, of }) => ({ name, dtype, dims, kind, of }))
  const steps = plan.steps.map((step) => {
    const attributes = Object.entries(step.attributes)
    if (attributes.every(([, { kind }]) => kind !== 'plan')) return step
    const stripped = attributes.map(([name, attribute]) => [
      name,
      attribute.kind === 'plan' ? { ...attribute, value: withoutData(attribute.value) } : attribute,
    ])
    return { ...step, attributes: Object.fromEntries(stripped) as PlanStep['attributes'] }
  })
  return { ...plan, tensors, steps }
}

function withOutputs(graph: Graph, names: readonly string[]): Graph {
  return { ...graph, outputs: [...new Set([...graph.outputs, ...names])] }
}

function valuesOf(names: readonly string[], info: Inference): EngineValue[] {
  return names.map((name) => {
    const type = info.types.get(name)
    return { name, dtype: type?.dtype ?? 'float32', shape: type?.shape ?? [] }
  })
}

async function cancellable<T>(
  signal: AbortSignal | undefined,
  work: (token: NativeToken | undefined) => Promise<T>,
): Promise<T> {
  if (!signal) return work(undefined)
  const token = binding().token()
  const cancel = () => token.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    return await work(token)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
