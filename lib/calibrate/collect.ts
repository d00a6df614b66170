/** One pass over the data with observers: nothing is kept of a sample but what it adds to the statistics. */
import { OctavoError } from '../errors.js'
import { Pace } from '../event-loop.js'
import type { Graph } from '../graph/graph.js'
import type { Inference } from '../ops/core/infer.js'
import { type DataSource, emptyDataError, samplesOf } from './data.js'
import type { Engine, Observation } from './engine.js'
import { checkFeeds, type InputSpec } from './feeds.js'
import { MovingRange, rangeBetween } from './observers/moving-average.js'
import type { Reservoir } from './reservoir.js'
import { parseStatistics, type Statistics } from './statistics.js'

/** Half of them on each side of zero: at least 1,024 cover the range that was seen. */
export const BINS = 4096

export interface CollectOptions {
  readonly observe: readonly Observation[]
  /** Follow the range of every sample: momentum of the moving average. */
  readonly momentum?: number
  /** Is offered every sample. */
  readonly reservoir?: Reservoir
  readonly onSample?: (done: number, total: number | undefined) => void
  readonly signal?: AbortSignal
}

export interface Collected {
  readonly samples: number
  readonly statistics: ReadonlyMap<string, Statistics>
  /** With `momentum`: the averaged range of every value. */
  readonly moving: ReadonlyMap<string, MovingRange>
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
  { observe, momentum, reservoir, onSample, signal }: CollectOptions,
): Promise<Collected> {
  const pace = new Pace(signal)
  const total = Array.isArray(data) ? data.length : undefined
  const followers = momentum === undefined ? [] : observe.map((o) => new Follower(o.value, momentum))
  let samples = 0
  for await (const feeds of samplesOf(data, signal)) {
    const checked = await checkFeeds(feeds, samples, inputs, pace)
    reservoir?.offer(checked)
    await engine.run(checked, [])
    for (const follower of followers) {
      follower.follow(engine)
      await pace.breathe()
    }
    ++samples
    onSample?.(samples, total)
  }
  if (samples === 0) throw emptyDataError()
  const statistics = new Map<string, Statistics>()
  for (const { value } of observe) {
    statistics.set(value, parseStatistics(engine.observed(value), BINS))
    await pace.breathe()
  }
  return { samples, statistics, moving: new Map(followers.map((f) => [f.value, f.moving])) }
}

/** Reads an observer after every sample. */
class Follower {
  readonly moving: MovingRange
  private last: Statistics | undefined

  constructor(
    readonly value: string,
    momentum: number,
  ) {
    this.moving = new MovingRange(momentum)
  }

  follow(engine: Engine): void {
    const now = parseStatistics(engine.observed(this.value), BINS)
    const range = rangeBetween(this.last, now)
    if (range) this.moving.add(range[0], range[1])
    this.last = now
  }
}
