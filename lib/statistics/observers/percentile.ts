/** The range that covers a share of the elements; what is left is split evenly between the ends that have a sign. */
import type { Histogram } from '../record.js'
import { binEdge } from '../summary.js'
import { observer } from './observer.js'

export const percentile = observer({
  needs: () => [{ kind: 'histogram' }],
  range({ histogram }, _target, { percentile: share = 99.99 }) {
    const { min, max, count } = histogram
    const tail = (1 - share / 100) * count
    if (min >= 0) return [min, quantileFromAbove(histogram, tail)]
    if (max <= 0) return [quantileFromBelow(histogram, tail), max]
    return [quantileFromBelow(histogram, tail / 2), quantileFromAbove(histogram, tail / 2)]
  },
})

/** The value that `tail` elements are below; linear inside a bin. */
function quantileFromBelow(histogram: Histogram, tail: number): number {
  const { counts, width, min, max } = histogram
  let below = 0
  for (let i = 0; i < counts.length; ++i) {
    const n = counts[i] as number
    if (n > 0 && below + n > tail) {
      return clamp(binEdge(histogram, i) + (width * (tail - below)) / n, min, max)
    }
    below += n
  }
  return max
}

function quantileFromAbove(histogram: Histogram, tail: number): number {
  const { counts, width, min, max } = histogram
  let above = 0
  for (let i = counts.length - 1; i >= 0; --i) {
    const n = counts[i] as number
    if (n > 0 && above + n > tail) {
      return clamp(binEdge(histogram, i + 1) - (width * (tail - above)) / n, min, max)
    }
    above += n
  }
  return min
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x))
}
