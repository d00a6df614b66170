/** Minimum, maximum, mean and standard deviation of a tensor, in slices. */
import type { Pace } from '../event-loop.js'

const SLICE = 1 << 16

/** What the elements of a tensor are like, as real numbers; all 0 for a tensor without elements. */
export interface Summary {
  /** The smallest element. */
  readonly min: number
  /** The largest element. */
  readonly max: number
  /** The mean of all elements. */
  readonly mean: number
  /** Standard deviation of the elements as a whole population. */
  readonly deviation: number
}

/** `real`: the number that element i stands for. */
export async function summarize(
  values: ArrayLike<number>,
  real: (value: number, i: number) => number,
  pace: Pace,
): Promise<Summary> {
  let [min, max, sum, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (let from = 0; from < values.length; from += SLICE) {
    const to = Math.min(values.length, from + SLICE)
    for (let i = from; i < to; ++i) {
      const x = real(values[i] as number, i)
      min = Math.min(min, x)
      max = Math.max(max, x)
      sum += x
      squares += x * x
    }
    await pace.breathe()
  }
  const n = values.length
  if (n === 0) return { min: 0, max: 0, mean: 0, deviation: 0 }
  return { min, max, mean: sum / n, deviation: Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2)) }
}
