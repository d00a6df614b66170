/** Times of jobs that take turns. */
import { setImmediate } from 'node:timers/promises'

export interface Distribution {
  readonly median: number
  /** A tenth is below. */
  readonly p10: number
  /** A tenth is above. */
  readonly p90: number
  readonly min: number
  readonly max: number
}

export interface Turns {
  readonly runs: number
  readonly warmup: number
}

/** Milliseconds of every run, per job. Who begins a turn changes with each, so that no job always follows another. */
export async function interleave(
  jobs: readonly (() => void)[],
  { runs, warmup }: Turns,
  onTurn: (done: number) => void,
  signal: AbortSignal,
): Promise<number[][]> {
  const times = jobs.map((): number[] => [])
  for (let turn = -warmup; turn < runs; ++turn) {
    for (let k = 0; k < jobs.length; ++k) {
      const j = (k + Math.abs(turn)) % jobs.length
      const start = performance.now()
      jobs[j]?.()
      const milliseconds = performance.now() - start
      if (turn >= 0) times[j]?.push(milliseconds)
      // Between runs, not inside of one: signals are heard, and the bar is drawn.
      await setImmediate()
      signal.throwIfAborted()
    }
    if (turn >= 0) onTurn(turn + 1)
  }
  return times
}

export function distribution(values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b)
  /** Between the two nearest ranks. */
  const quantile = (q: number) => {
    const at = q * (sorted.length - 1)
    const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
    return low + (high - low) * (at - Math.floor(at))
  }
  return { median: quantile(0.5), p10: quantile(0.1), p90: quantile(0.9), min: quantile(0), max: quantile(1) }
}
