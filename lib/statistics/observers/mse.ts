/**
 * The range with the least expected squared error (Nagel et al. 2021, A White Paper on Neural Network
 * Quantization, section 3.1): s^2/12 per element inside, (x - end)^2 outside, over a grid of both ends. Sums over
 * the histogram are made once, so each of the 10,000 candidates costs a few multiplications.
 */
import { levelsOf } from '../../graph/format.js'
import type { Histogram } from '../record.js'
import type { Range } from '../summary.js'
import { observer } from './observer.js'

const CANDIDATES = 100

export const mse = observer({
  needs: () => [{ kind: 'histogram' }],
  range({ histogram }, { format, symmetric }) {
    if (histogram.width === 0) return [histogram.min, histogram.max]
    return symmetric
      ? symmetricRange(histogram, format.qmax - Math.floor((format.qmin + format.qmax + 1) / 2))
      : asymmetricRange(histogram, levelsOf(format) - 1)
  },
})

/** `steps`: of the range's half. */
function symmetricRange(histogram: Histogram, steps: number): Range {
  const tails = new Tails(histogram)
  const reach = Math.max(-histogram.min, histogram.max)
  let best = reach
  let least = Number.POSITIVE_INFINITY
  for (let k = CANDIDATES; k > 0; --k) {
    const t = (reach * k) / CANDIDATES
    const error = tails.error(-t, t, t / steps)
    if (error < least) {
      least = error
      best = t
    }
  }
  return [Math.max(histogram.min, -best), Math.min(histogram.max, best)]
}

function asymmetricRange(histogram: Histogram, steps: number): Range {
  const tails = new Tails(histogram)
  const lows = candidates(Math.min(0, histogram.min))
  const highs = candidates(Math.max(0, histogram.max))
  let best: Range = [histogram.min, histogram.max]
  let least = Number.POSITIVE_INFINITY
  for (const low of lows) {
    for (const high of highs) {
      if (high - low <= 0) continue
      const error = tails.error(low, high, (high - low) / steps)
      if (error < least) {
        least = error
        best = [low, high]
      }
    }
  }
  return best
}

/** From the end that was seen towards 0; 0 itself only where nothing was seen on this side. */
function candidates(end: number): number[] {
  if (end === 0) return [0]
  return Array.from({ length: CANDIDATES }, (_, k) => (end * (CANDIDATES - k)) / CANDIDATES)
}

/** Running sums of the histogram: the squared error of clipping at any value in constant time. */
class Tails {
  private readonly counts: Float64Array
  private readonly sums: Float64Array
  private readonly squares: Float64Array
  private readonly bins: number
  private readonly width: number
  private readonly nearZero: number

  constructor({ counts, width }: Histogram) {
    this.bins = counts.length
    this.width = width
    this.counts = new Float64Array(this.bins + 1)
    this.sums = new Float64Array(this.bins + 1)
    this.squares = new Float64Array(this.bins + 1)
    for (let i = 0; i < this.bins; ++i) {
      const n = counts[i] as number
      const x = (i + 0.5 - this.bins / 2) * width
      this.counts[i + 1] = (this.counts[i] as number) + n
      this.sums[i + 1] = (this.sums[i] as number) + n * x
      this.squares[i + 1] = (this.squares[i] as number) + n * x * x
    }
    const middle = this.bins / 2
    this.nearZero = (counts[middle - 1] as number) + (counts[middle] as number)
  }

  /** Expected squared error, summed over all elements, of levels `step` apart in [low, high]. */
  error(low: number, high: number, step: number): number {
    const from = this.binOf(low)
    const to = this.binOf(high)
    const rounding = (step * step) / 12
    // Zero is a level: what lies in the two bins around it (all zeros after a Relu) is off by less than a bin.
    const atZero = Math.min(rounding, (this.width * this.width) / 3)
    const inside = (this.counts[to] as number) - (this.counts[from] as number) - this.nearZero
    const below = this.clipped(0, from, low)
    const above = this.clipped(to, this.bins, high)
    return Math.max(0, inside) * rounding + this.nearZero * atZero + below + above
  }

  /** Sum of (x - end)^2 over bins [from, to). */
  private clipped(from: number, to: number, end: number): number {
    const n = (this.counts[to] as number) - (this.counts[from] as number)
    const sum = (this.sums[to] as number) - (this.sums[from] as number)
    const squares = (this.squares[to] as number) - (this.squares[from] as number)
    return n === 0 ? 0 : Math.max(0, squares - 2 * end * sum + n * end * end)
  }

  /** The bin edge nearest to x. */
  private binOf(x: number): number {
    return Math.min(this.bins, Math.max(0, Math.round(x / this.width) + this.bins / 2))
  }
}
