/** What calibration asks of the rest: a graph made ready, and an engine that runs one. The only place that knows how. */

import type { Observation } from '../compile/lower/lower.js'
import { prepare as prepareGraph } from '../compile/model.js'
import { compileGraph, type EngineTensor } from '../compile/run/engine.js'
import type { Graph } from '../graph/graph.js'
import { type Inference, inferGraph } from '../ops/core/infer.js'

export type { EngineTensor, Observation }

export interface Engine {
  /** Runs off the main thread; `outputs`: which to return (default all). Feeds are copied before this returns. */
  run(
    feeds: Readonly<Record<string, EngineTensor>>,
    outputs?: readonly string[],
  ): Promise<Record<string, EngineTensor>>
  /** The state of an observer, as of the last run. */
  observed(value: string): Float64Array
  release(): void
}

export interface EngineOptions {
  readonly observe?: readonly Observation[]
  readonly bins?: number
  readonly extraOutputs?: readonly string[]
  /** Cancels the load, and every run. */
  readonly signal?: AbortSignal
}

export async function openEngine(graph: Graph, options: EngineOptions = {}): Promise<Engine> {
  const { signal } = options
  const engine = await compileGraph(graph, options)
  return {
    async run(feeds, outputs) {
      const results = await engine.run(feeds, outputs, { signal })
      return Object.fromEntries(
        Object.entries(results).map(([name, t]) => [name, { ...t, data: new Uint8Array(t.data) }]),
      )
    },
    observed: (value) => engine.readObservation(value),
    release: () => engine.release(),
  }
}

/** Constants folded, scales folded into weights, patterns recognized; and the types of all values of the result. */
export async function prepare(
  graph: Graph,
  signal?: AbortSignal,
): Promise<{ readonly graph: Graph; readonly info: Inference }> {
  const prepared = await prepareGraph(graph, { signal })
  return { graph: prepared, info: inferGraph(prepared) }
}
