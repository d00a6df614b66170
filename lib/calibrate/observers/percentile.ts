/** The range that covers a share of the elements; what is left is split evenly between the ends that have a sign. */
import { binEdge, type Statistics } from '../statistics.js'
import type { Observer } from './observer.js'

export const percentile: Observer = {
  range(statistics, _target, { percentile: share = 99.99 }) {
    const { min, max, count } = statistics
    const tail = (1 - share / 100) * count
    if (min >= 0) return [min, quantileFromAbove(statistics, tail)]
    if (max <= 0) return [quantileFromBelow(statistics, tail), max]
    return [quantileFromBelow(statistics, tail / 2), quantileFromAbove(statistics, tail / 2)]
  },
}

/** The value that `tail` elements are below; linear inside a bin. */
function quantileFromBelow(statistics: Statistics, tail: number): number {
  const { histogram, width, min, max } = statistics
  let below = 0
  for (let i = 0; i < histogram.length; ++i) {
    const n = histogram[i] as number
    if (n > 0 && below + n > tail) {
      return clamp(binEdge(statistics, i) + (width * (tail - below)) / n, min, max)
    }
    below += n
  }
  return max
}

function quantileFromAbove(statistics: Statistics, tail: number): number {
  const { histogram, width, min, max } = statistics
  let above = 0
  for (let i = histogram.length - 1; i >= 0; --i) {
    const n = histogram[i] as number
    if (n > 0 && above + n > tail) {
      return clamp(binEdge(statistics, i + 1) - (width * (tail - above)) / n, min, max)
    }
    above += n
  }
  return min
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x))
}
