/**
 * Which runs are so short that another thread would only cost time. A thread of its own costs a run two wake-ups, 15 to
 * 100 microseconds; a run about as short holds the event loop up no longer than its own feeds and results do.
 */

/** Milliseconds that a run on the JavaScript thread may take. */
const QUICK = 0.25
/** So many in a row that took longer are no accident. */
const SLOW_RUNS = 4
/** A run elsewhere that came back within this, wake-ups included, may be a quick one. */
const PROMISING = 0.5

export class QuickRuns {
  #sizes: Float64Array = new Float64Array()
  /** Of the runs elsewhere; the first ones are cold and say little. */
  #fastest = Number.POSITIVE_INFINITY
  #slow = 0

  /** Whether a run of these sizes is quick, or may be. Sizes that were found slow here stay slow. */
  isQuick(sizes: Float64Array): boolean {
    return this.#fastest < PROMISING && this.#slow < SLOW_RUNS && this.#isSame(sizes)
  }

  ranElsewhere(sizes: Float64Array, milliseconds: number): void {
    if (this.#isSame(sizes)) {
      this.#fastest = Math.min(this.#fastest, milliseconds)
      return
    }
    this.#sizes = sizes
    this.#fastest = milliseconds
    this.#slow = 0
  }

  ranHere(milliseconds: number): void {
    this.#slow = milliseconds > QUICK ? this.#slow + 1 : 0
  }

  #isSame(sizes: Float64Array): boolean {
    return sizes.length === this.#sizes.length && sizes.every((d, i) => d === this.#sizes[i])
  }
}
