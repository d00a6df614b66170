/**
 * The threshold whose quantized distribution is nearest to the real one by Kullback-Leibler divergence
 * (S. Migacz, 8-bit Inference with TensorRT, GTC 2017). One-sided where nothing negative was seen, else on magnitudes.
 */
import { levelsOf } from '../../graph/format.js'
import type { Histogram } from '../record.js'
import { observer } from './observer.js'

/** Thresholds are tried every so many bins. */
const STRIDE = 8
/** Takes the place of zero probability. */
const EPSILON = 1e-4

export const entropy = observer({
  needs: () => [{ kind: 'histogram' }],
  range({ histogram }, { format }) {
    const { min, max, width } = histogram
    if (width === 0) return [min, max]
    // Magnitudes have half of the levels.
    const threshold = bestLength(magnitudes(histogram), Math.floor(levelsOf(format) / 2)) * width
    return [Math.max(min, -threshold), Math.min(max, threshold)]
  },
})

/** Counts of |x| per bin, up to the last one that is occupied. */
function magnitudes(histogram: Histogram): Float64Array {
  const half = histogram.counts.length / 2
  const counts = new Float64Array(half)
  for (let i = 0; i < half; ++i) {
    counts[i] = (histogram.counts[half + i] as number) + (histogram.counts[half - 1 - i] as number)
  }
  // Zeros are exact at every scale; their spike would only hide the shape of the rest (as in TensorRT).
  counts[0] = Math.min(counts[0] as number, counts[1] as number)
  let length = half
  while (length > 1 && counts[length - 1] === 0) --length
  return counts.subarray(0, length)
}

/** Number of bins below the best threshold. */
function bestLength(counts: Float64Array, levels: number): number {
  let best = counts.length
  let least = Number.POSITIVE_INFINITY
  for (let length = counts.length; length >= levels; length -= STRIDE) {
    const divergence = divergenceAt(counts, length, levels)
    if (divergence < least) {
      least = divergence
      best = length
    }
  }
  return best
}

/** KL(P || Q) of the first `length` bins: P with the tail in its last bin, Q merged to so many levels and spread over the occupied bins. */
function divergenceAt(counts: Float64Array, length: number, levels: number): number {
  const p = counts.slice(0, length)
  let tail = 0
  for (let i = length; i < counts.length; ++i) tail += counts[i] as number
  p[length - 1] = (p[length - 1] as number) + tail
  const q = new Float64Array(length)
  for (let level = 0; level < levels; ++level) {
    const from = Math.floor((level * length) / levels)
    const to = Math.floor(((level + 1) * length) / levels)
    let sum = 0
    let occupied = 0
    for (let i = from; i < to; ++i) {
      sum += counts[i] as number
      if ((p[i] as number) > 0) ++occupied
    }
    for (let i = from; i < to; ++i) if ((p[i] as number) > 0) q[i] = sum / occupied
  }
  return divergence(p, q)
}

function divergence(p: Float64Array, q: Float64Array): number {
  const total = sumOf(p)
  const mass = sumOf(q)
  if (total === 0 || mass === 0) return Number.POSITIVE_INFINITY
  let sum = 0
  for (let i = 0; i < p.length; ++i) {
    const a = (p[i] as number) / total
    if (a === 0) continue
    const b = (q[i] as number) / mass
    sum += a * Math.log(a / (b > 0 ? b : EPSILON / p.length))
  }
  return sum
}

function sumOf(values: Float64Array): number {
  let sum = 0
  for (const v of values) sum += v
  return sum
}
