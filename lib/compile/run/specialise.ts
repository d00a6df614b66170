/**
 * Models that no plan can serve for all sizes: branches of different rank, scales that are fed, sizes of unknown
 * number. They are prepared and compiled for the sizes of each run, and for the elements of those small inputs
 * that an operator needs to be compiled; the newest engines are kept.
 */
import { sha256 } from '../../builtins.js'
import { OctavoError } from '../../errors.js'
import { type Dim, dimKey } from '../../graph/expr.js'
import type { ConstantTensor, Graph, TensorType } from '../../graph/graph.js'
import type { NativeMemory, StepProfile } from '../../native/binding.js'
import { ValueNeededError } from '../../ops/core/helpers.js'
import type { Plan } from '../../plan/plan.js'
import { inputsBehind } from '../lower/dependencies.js'
import { prepare } from '../model.js'
import { compileGraph, type Engine, type EngineOutput, type EngineTensor, type RunOptions } from './engine.js'
import type { Runner, RunnerOptions, RunnerValue } from './runner.js'
import { StateStore } from './state-store.js'

type Feeds = Readonly<Record<string, EngineTensor>>

/** Engines kept: as many sizes as a caller is likely to alternate between. */
const KEPT_ENGINES = 8
/** An input whose elements are compiled in may not be larger: beyond, it is data that changes with every run. */
const MAX_ELEMENTS = 4096

/** True where feeds could give what the error asks for: a size that is a symbol, or the elements of an input. */
export function isSpecialisable(graph: Graph, error: ValueNeededError): boolean {
  const open = graph.inputs.some((name) => {
    return graph.types.get(name)?.shape?.every((d) => typeof d === 'number') !== true
  })
  return open || (error.tensor !== undefined && inputsBehind(graph, error.tensor).size > 0)
}

interface Entry {
  readonly engine: Promise<Engine>
  ready?: Engine
  /** Runs that hold it: an engine that is no longer kept is released after the last. */
  users: number
  dropped: boolean
}

export class SpecialisingEngine implements Runner {
  readonly inputs: readonly RunnerValue[]
  readonly outputs: readonly RunnerValue[]
  /** By the sizes and elements they were compiled for, the one used last at the end. */
  private readonly engines = new Map<string, Entry>()
  /** Inputs whose elements are compiled in. */
  private readonly fixed = new Set<string>()
  private latest: Engine | undefined
  private profiling = false

  private readonly options: RunnerOptions

  constructor(
    private readonly graph: Graph,
    options: RunnerOptions,
  ) {
    // The signal cancels the creation of the session, not what it compiles later.
    const { states = graph.states && new StateStore() } = options
    this.options = { ...options, states, signal: undefined }
    const describe = (name: string): RunnerValue => {
      const type = graph.types.get(name)
      return { name, dtype: type?.dtype ?? 'float32', shape: type?.shape }
    }
    this.inputs = graph.inputs.map(describe)
    this.outputs = graph.outputs.map(describe)
  }

  get plan(): Plan {
    return this.last('a plan').plan
  }

  /** Feeds are copied before this returns its promise. */
  async run(
    feeds: Feeds,
    outputs?: readonly string[],
    options: RunOptions = {},
  ): Promise<Record<string, EngineOutput>> {
    options.signal?.throwIfAborted()
    const known = this.find(feeds)
    if (known?.ready) return this.use(known, (engine) => engine.run(feeds, outputs, options))
    const copies = copied(feeds)
    for (;;) {
      const fixed = this.fixed.size
      const entry = this.find(copies) ?? this.add(copies)
      try {
        return await this.use(entry, (engine) => engine.run(copies, outputs, options))
      } catch (error) {
        if (!(error instanceof ValueNeededError)) throw error
        // Another run may have met the same error in the meantime, and added what it asks for.
        if (this.fixed.size === fixed && !this.fixMore(error, copies)) throw error
      }
    }
  }

  runSync(feeds: Feeds, outputs?: readonly string[]): Record<string, EngineOutput> {
    const engine = this.find(feeds)?.ready
    if (engine) return engine.runSync(feeds, outputs)
    throw new OctavoError(
      'ERR_RUN',
      'This model is compiled for the sizes that it is fed, which runSync cannot wait for: expected a call of run() with inputs of these sizes before.',
    )
  }

  kernels(): string[] {
    return this.last('kernels').kernels()
  }

  setProfiling(on: boolean): void {
    this.profiling = on
    for (const { ready } of this.engines.values()) ready?.setProfiling(on)
  }

  profile(): StepProfile[] {
    return this.latest?.profile() ?? []
  }

  memory(): NativeMemory {
    const all = [...this.engines.values()].flatMap(({ ready }) => (ready ? [ready.memory()] : []))
    const sum = (pick: (m: NativeMemory) => number) => all.reduce((total, m) => total + pick(m), 0)
    return {
      constants: sum((m) => m.constants),
      arena: sum((m) => m.arena),
      executions: sum((m) => m.executions),
    }
  }

  release(): void {
    for (const entry of this.engines.values()) drop(entry)
    this.engines.clear()
    this.latest = undefined
  }

  private last(what: string): Engine {
    if (this.latest) return this.latest
    throw new OctavoError(
      'ERR_RUN',
      `This model is compiled for the sizes that it is fed: it has ${what} after its first run.`,
    )
  }

  private find(feeds: Feeds): Entry | undefined {
    const key = this.key(feeds)
    const entry = this.engines.get(key)
    if (entry) {
      this.engines.delete(key)
      this.engines.set(key, entry)
    }
    return entry
  }

  private add(feeds: Feeds): Entry {
    const key = this.key(feeds)
    const entry: Entry = { engine: this.compile(feeds), users: 0, dropped: false }
    entry.engine.then(
      (engine) => {
        entry.ready = engine
        if (entry.dropped && entry.users === 0) engine.release()
      },
      () => {
        if (this.engines.get(key) === entry) this.engines.delete(key)
      },
    )
    this.engines.set(key, entry)
    for (const [oldest, old] of this.engines) {
      if (this.engines.size <= KEPT_ENGINES) break
      this.engines.delete(oldest)
      drop(old)
    }
    return entry
  }

  private async use<T>(entry: Entry, work: (engine: Engine) => Promise<T>): Promise<T> {
    entry.users++
    try {
      const engine = entry.ready ?? (await entry.engine)
      if (!entry.dropped) this.latest = engine
      return await work(engine)
    } finally {
      entry.users--
      if (entry.dropped && entry.users === 0) entry.ready?.release()
    }
  }

  /** Adds the inputs that the error asks for to those whose elements are compiled in; false where that is no help. */
  private fixMore({ tensor }: ValueNeededError, feeds: Feeds): boolean {
    if (tensor === undefined) return false
    const more = [...inputsBehind(this.graph, tensor)].filter((name) => !this.fixed.has(name))
    if (more.length === 0) return false
    for (const name of more) {
      const elements = feeds[name]?.dims.reduce((a, b) => a * b, 1) ?? 0
      if (elements > MAX_ELEMENTS) return false
    }
    for (const name of more) this.fixed.add(name)
    return true
  }

  private key(feeds: Feeds): string {
    return this.inputs
      .map(({ name }) => {
        const feed = feedNamed(feeds, name)
        const elements = this.fixed.has(name) ? sha256(feed.data, 'base64') : ''
        return `${feed.dims.join('x')}:${elements}`
      })
      .join(' ')
  }

  private async compile(feeds: Feeds): Promise<Engine> {
    const { graph, overrides } = specialised(this.graph, this.fixed, feeds, this.options.overrides)
    const options = { ...this.options, overrides }
    const engine = await compileGraph(await prepare(graph, options), options)
    if (this.profiling) engine.setProfiling(true)
    return engine
  }
}

/** The graph with the sizes of its feeds, and the feeds of `fixed` inputs as constants. */
function specialised(
  graph: Graph,
  fixed: ReadonlySet<string>,
  feeds: Feeds,
  given: Readonly<Record<string, number>> = {},
): { readonly graph: Graph; readonly overrides: Readonly<Record<string, number>> } {
  const types = new Map<string, TensorType>(graph.types)
  const constants = new Map<string, ConstantTensor>(graph.constants)
  const overrides: Record<string, number> = { ...given }
  for (const name of graph.inputs) {
    const { dtype, dims, data } = feedNamed(feeds, name)
    for (const [axis, d] of graph.types.get(name)?.shape?.entries() ?? []) {
      setSize(overrides, d, dims[axis] as number, name, axis)
    }
    types.set(name, { dtype, shape: dims })
    if (fixed.has(name)) constants.set(name, { dtype, dims, data })
  }
  const inputs = graph.inputs.filter((name) => !fixed.has(name))
  return { graph: { ...graph, inputs, types, constants }, overrides }
}

function setSize(sizes: Record<string, number>, d: Dim, size: number, input: string, axis: number): void {
  const known = typeof d === 'number' ? d : sizes[dimKey(d)]
  if (known === undefined) sizes[dimKey(d)] = size
  else if (known !== size) {
    throw new OctavoError(
      'ERR_SHAPE_MISMATCH',
      `Got invalid dimensions for input: ${input} for the following indices\n index: ${axis} Got: ${size} Expected: ${known}`,
      { tensor: input },
    )
  }
}

function feedNamed(feeds: Feeds, name: string): EngineTensor {
  const feed = feeds[name]
  if (feed) return feed
  throw new OctavoError('ERR_MISSING_INPUT', `input '${name}' is missing in 'feeds'.`, { tensor: name })
}

function copied(feeds: Feeds): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
      name,
      { dtype, dims: [...dims], data: data.slice() },
    ]),
  )
}

function drop(entry: Entry): void {
  entry.dropped = true
  if (entry.users === 0) entry.ready?.release()
}
