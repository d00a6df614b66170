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

type Sizes = readonly { readonly dims: readonly number[] }[]

export class Pace {
  #sizes: Sizes = []
  /** Of the runs elsewhere; the first ones are cold and say little. */
  #fastest = Number.POSITIVE_INFINITY
  #slow = 0

  /** Whether a run of these sizes is quick, or may be. Sizes that were found slow here stay slow. */
  isQuick(inputs: Sizes): boolean {
    return this.#fastest < PROMISING && this.#slow < SLOW_RUNS && this.#isSame(inputs)
  }

  ranElsewhere(inputs: Sizes, milliseconds: number): void {
    if (this.#isSame(inputs)) {
      this.#fastest = Math.min(this.#fastest, milliseconds)
      return
    }
    this.#sizes = inputs.map(({ dims }) => ({ dims: [...dims] }))
    this.#fastest = milliseconds
    this.#slow = 0
  }

  ranHere(milliseconds: number): void {
    this.#slow = milliseconds > QUICK ? this.#slow + 1 : 0
  }

  #isSame(inputs: Sizes): boolean {
    return (
      inputs.length === this.#sizes.length &&
      inputs.every(({ dims }, i) => {
        const known = this.#sizes[i]?.dims ?? []
        return dims.length === known.length && dims.every((d, axis) => d === known[axis])
      })
    )
  }
}
