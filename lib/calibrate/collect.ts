/** One pass over the data with observations: nothing is kept of a sample but what it adds to the statistics. */
import { OctavoError } from '../errors.js'
import { Pace } from '../event-loop.js'
import type { Graph } from '../graph/graph.js'
import type { Inference } from '../ops/core/infer.js'
import type { Observation } from '../statistics/observation.js'
import type { Statistics } from '../statistics/record.js'
import { type DataSource, emptyDataError, samplesOf } from './data.js'
import type { Engine } from './engine.js'
import { checkFeeds, type InputSpec, isEmptyBatch } from './feeds.js'
import type { Reservoir } from './reservoir.js'
import type { SampleWatch } from './sample-watch.js'

export interface CollectOptions {
  /** What is gathered over all samples. */
  readonly observe: readonly Observation[]
  /** Is offered every sample. */
  readonly reservoir?: Reservoir
  /** Sees every sample. */
  readonly watch?: SampleWatch
  /** Read after the run of every sample that the reservoir keeps, and kept with it. */
  readonly observeHeld?: readonly Observation[]
  readonly onSample?: (done: number, total: number | undefined) => void
  readonly signal?: AbortSignal
}

export interface Collected {
  readonly samples: number
  /** By value. */
  readonly statistics: ReadonlyMap<string, Statistics>
}

export function inputsOf(graph: Graph, info: Inference): InputSpec[] {
  return graph.inputs.map((name) => {
    const type = info.types.get(name) ?? graph.types.get(name)
    if (!type) throw new OctavoError('ERR_INTERNAL', `Input '${name}' has no type.`, { tensor: name })
    return { name, type }
  })
}

/** Runs all samples of `data` through an engine that observes what `options.observe` lists. */
export async function collect(
  engine: Engine,
  inputs: readonly InputSpec[],
  data: DataSource,
  { observe, observeHeld = [], reservoir, watch, onSample, signal }: CollectOptions,
): Promise<Collected> {
  const pace = new Pace(signal)
  const total = Array.isArray(data) ? data.length : undefined
  let samples = 0
  let skipped = 0
  for await (const feeds of samplesOf(data, signal)) {
    const checked = await checkFeeds(feeds, samples + skipped, inputs, pace)
    if (isEmptyBatch(checked, inputs)) {
      ++skipped
      continue
    }
    await watch?.add(checked, pace)
    const held = reservoir?.offer(checked)
    await engine.run(checked, [])
    if (held) held.statistics = await readAll(engine, observeHeld, pace)
    ++samples
    onSample?.(samples + skipped, total)
  }
  if (samples === 0) throw emptyDataError(skipped)
  return { samples, statistics: await readAll(engine, observe, pace) }
}

/** The records of these observations, by value. */
export async function readAll(
  engine: Engine,
  observations: readonly Observation[],
  pace: Pace,
): Promise<ReadonlyMap<string, Statistics>> {
  const statistics = new Map<string, Statistics>()
  for (const observation of observations) {
    const record = engine.observed(observation)
    if (record) {
      const { value, kind } = observation
      statistics.set(value, { ...statistics.get(value), [kind]: record })
    }
    await pace.breathe()
  }
  return statistics
}
