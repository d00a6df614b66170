/**
 * Models that no plan can serve for all sizes: branches of different rank, scales that are fed, sizes of unknown
 * number. They are prepared and compiled for the sizes of each run, and for the elements of those small inputs
 * that an operator needs to be compiled; the newest engines are kept.
 */
import { sha256 } from '../../builtins.js'
import { OctavoError } from '../../errors.js'
import type { Graph } from '../../graph/graph.js'
import { definedNames } from '../../graph/subgraph.js'
import type { NativeMemory, StepProfile } from '../../native/binding.js'
import { ValueNeededError } from '../../ops/core/helpers.js'
import type { Plan } from '../../plan/plan.js'
import { type Observation, stateOf } from '../../statistics/observation.js'
import type { StatisticRecord } from '../../statistics/record.js'
import { inputsBehind } from '../lower/dependencies.js'
import { prepare } from '../model.js'
import { compileGraph, type Engine, type EngineOutput, type RunOptions } from './engine.js'
import { observingPlan, readStatistic } from './read-statistic.js'
import type { Runner, RunnerOptions, RunnerValue } from './runner.js'
import { canFix, type Feeds, feedNamed, specialised } from './specialised-graph.js'
import { StateStore } from './state-store.js'

/** Engines kept: as many sizes as a caller is likely to alternate between. */
const KEPT_ENGINES = 8
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
  /** A plan that has the state, by its name. */
  private readonly observing = new Map<string, Plan>()
  private profiling = false

  private readonly options: RunnerOptions

  constructor(
    private readonly graph: Graph,
    options: RunnerOptions,
  ) {
    // The signal cancels the creation of the session, not what it compiles later.
    const { states = graph.states || options.observe ? new StateStore() : undefined } = options
    this.options = { ...options, states, signal: undefined }
    const describe = (name: string): RunnerValue => {
      const type = graph.types.get(name)
      return { name, dtype: type?.dtype ?? 'float32', shape: type?.shape }
    }
    this.inputs = graph.inputs.map(describe)
    this.outputs = graph.outputs.map(describe)
  }

  get hasPlan(): boolean {
    return this.latest !== undefined
  }

  /** Its engines are compiled anew, over a copy of the states. */
  fork(): SpecialisingEngine {
    return new SpecialisingEngine(this.graph, { ...this.options, states: this.options.states?.copy() })
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

  /** Engines share the states of observations: what any of them saw is in it. */
  readStatistic<O extends Observation>(observation: O): StatisticRecord<O['kind']> | undefined {
    const { states } = this.options
    const plan = this.observing.get(stateOf(observation))
    if (!plan || !states) return undefined
    return readStatistic(plan, observation, (name) => states.bytesOf(name))
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
    if (!more.every((name) => canFix(feeds, name))) return false
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

  /** Values that are observed or given out besides the outputs stay, as outputs do. */
  private async prepare(graph: Graph, options: RunnerOptions): Promise<Graph> {
    const { extraOutputs = [], observe = [] } = options
    const made = definedNames(graph)
    const kept = [...extraOutputs, ...observe.map((o) => o.value)].filter((name) => made.has(name))
    const outputs = [...new Set([...graph.outputs, ...kept])]
    return { ...(await prepare({ ...graph, outputs }, options)), outputs: graph.outputs }
  }

  private async compile(feeds: Feeds): Promise<Engine> {
    const { graph, overrides } = specialised(this.graph, this.fixed, feeds, this.options.overrides)
    const options = { ...this.options, overrides }
    const engine = await compileGraph(await this.prepare(graph, options), options)
    for (const observation of options.observe ?? []) {
      const plan = observingPlan(engine.plan, observation)
      if (plan) this.observing.set(stateOf(observation), plan)
    }
    if (this.profiling) engine.setProfiling(true)
    return engine
  }
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
