/** Sums of values by channel: what means are made of. */
import { BINS } from '../../calibrate/collect.js'
import type { Engine } from '../../calibrate/engine.js'
import type { Sample } from '../../calibrate/reservoir.js'
import { parseStatistics, type Statistics } from '../../calibrate/statistics.js'
import type { BiasTarget } from './bias-targets.js'

export interface ChannelSums {
  readonly sums: Float64Array
  /** Elements of one channel. */
  readonly count: number
}

export function channelSumsOf(statistics: Statistics | undefined): ChannelSums {
  const { channelSums, count } = statistics ?? { channelSums: new Float64Array(0), count: 0 }
  return { sums: channelSums, count: count / channelSums.length }
}

/** Sums of the float values of all targets, one entry for each sample. */
export async function floatSums(
  engine: Engine,
  samples: readonly Sample[],
  targets: readonly BiasTarget[],
): Promise<ReadonlyMap<BiasTarget, readonly ChannelSums[]>> {
  const sums = new Map<BiasTarget, ChannelSums[]>(targets.map((t) => [t, []]))
  const read = (target: BiasTarget) => parseStatistics(engine.observed(target.floatValue), BINS)
  let before = new Map(targets.map((t) => [t, read(t)]))
  for (const sample of samples) {
    await engine.run(sample, [])
    const after = new Map(targets.map((t) => [t, read(t)]))
    for (const [target, now] of after) {
      const old = before.get(target)
      const added = now.channelSums.map((s, c) => s - (old?.channelSums[c] ?? 0))
      sums.get(target)?.push({ sums: added, count: (now.count - (old?.count ?? 0)) / added.length })
    }
    before = after
  }
  return sums
}
