/** What calibration asks of the rest: a graph made ready, and an engine that runs one. The only place that knows how. */

import { prepare as prepareGraph } from '../compile/model.js'
import { openRunner } from '../compile/run/create.js'
import type { EngineTensor } from '../compile/run/engine.js'
import { learnTypes, openValues } from '../compile/run/learn-types.js'
import type { Graph } from '../graph/graph.js'
import { type Inference, inferGraph } from '../ops/core/infer.js'
import { prepareBodies } from '../passes/bodies.js'
import type { Observation } from '../statistics/observation.js'
import type { StatisticRecord } from '../statistics/record.js'

export type { EngineTensor }
export { learnTypes, openValues }

export interface Engine {
  /** Runs off the main thread; `outputs`: which to return (default all). Feeds are copied before this returns. */
  run(
    feeds: Readonly<Record<string, EngineTensor>>,
    outputs?: readonly string[],
  ): Promise<Record<string, EngineTensor>>
  /** What an observation has gathered, as of the last run; undefined where it cannot: the value is not float32, for example. */
  observed<O extends Observation>(observation: O): StatisticRecord<O['kind']> | undefined
  release(): void
}

export interface EngineOptions {
  readonly observe?: readonly Observation[]
  readonly extraOutputs?: readonly string[]
  /** Cancels the load, and every run. */
  readonly signal?: AbortSignal
}

export async function openEngine(graph: Graph, options: EngineOptions = {}): Promise<Engine> {
  const { signal } = options
  const engine = await openRunner(graph, options)
  return {
    async run(feeds, outputs) {
      const results = await engine.run(feeds, outputs, { signal })
      return Object.fromEntries(
        Object.entries(results).map(([name, t]) => [name, { ...t, data: new Uint8Array(t.data) }]),
      )
    },
    observed: (observation) => engine.readStatistic(observation),
    release: () => engine.release(),
  }
}

/**
 * Constants folded, scales folded into weights, patterns recognized; and the types of the values of the result, as far as the
 * graph tells them without feeds.
 */
export async function prepare(
  graph: Graph,
  signal?: AbortSignal,
): Promise<{ readonly graph: Graph; readonly info: Inference }> {
  const options = { signal, partial: true, selection: 'float' } as const
  const whole = await prepareGraph(graph, options)
  const prepared = await prepareBodies(whole, (body) => prepareGraph(body, options))
  return { graph: prepared, info: inferGraph(prepared, { partial: true }) }
}
