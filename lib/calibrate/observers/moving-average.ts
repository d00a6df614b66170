/**
 * The exponential moving average of every sample's minimum and maximum (Jacob et al. 2018, section 3.1). Needs the
 * samples one by one: `collect.ts` calls `MovingRange.add` after each.
 */
import { binEdge, type Statistics } from '../statistics.js'
import type { Observer, Range } from './observer.js'

export const DEFAULT_MOMENTUM = 0.1

export class MovingRange {
  private low = 0
  private high = 0
  private samples = 0

  constructor(private readonly momentum = DEFAULT_MOMENTUM) {}

  add(min: number, max: number): void {
    const c = this.samples++ === 0 ? 1 : this.momentum
    this.low += c * (min - this.low)
    this.high += c * (max - this.high)
  }

  range(): Range | undefined {
    return this.samples === 0 ? undefined : [this.low, this.high]
  }
}

/** Where the samples were not seen one by one, all of them are one sample. */
export const movingAverage: Observer = {
  range: ({ min, max }) => [min, max],
}

/**
 * Range of what was added to an observer between two readings: exact where the overall extremes moved, else to
 * the width of a bin. Undefined when nothing was added.
 */
export function rangeBetween(before: Statistics | undefined, after: Statistics): Range | undefined {
  if (!before || before.count === 0) return after.count === 0 ? undefined : [after.min, after.max]
  if (after.count === before.count) return undefined
  const old = atWidth(before, after.width)
  const added = (i: number) => (after.histogram[i] as number) > (old[i] as number)
  const bins = after.histogram.length
  let first = 0
  while (first < bins && !added(first)) ++first
  let last = bins - 1
  while (last > first && !added(last)) --last
  const low = after.min < before.min ? after.min : Math.max(after.min, binEdge(after, first))
  const high = after.max > before.max ? after.max : Math.min(after.max, binEdge(after, last + 1))
  return [low, high]
}

/** The histogram merged pairwise, away from zero, until its bins have this width. */
function atWidth({ histogram, width }: Statistics, target: number): Float64Array {
  let counts = histogram
  const half = histogram.length / 2
  for (let w = width; w > 0 && w < target; w *= 2) {
    const merged = new Float64Array(counts.length)
    for (let i = 0; i < counts.length; ++i) {
      const to = Math.floor((i - half) / 2) + half
      merged[to] = (merged[to] as number) + (counts[i] as number)
    }
    counts = merged
  }
  return counts
}
