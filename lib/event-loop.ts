/** Long work in JavaScript in slices: between two slices the event loop does all else that waits. */
import { nextTurn } from './builtins.js'

/**
 * Seconds of a slice, well below the 50 ms that nothing of Octavo may hold the event loop for. By `process.uptime`, because
 * the first use of `performance` in a process takes 2 ms.
 */
const SLICE = 0.008

export class Pace {
  #since = process.uptime()
  readonly #signal: AbortSignal | undefined

  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  /** Whether the slice has used its time; cheap enough for every few elements of a list. */
  get due(): boolean {
    return process.uptime() - this.#since > SLICE
  }

  /** Waits for the next turn of the event loop, and starts a slice. Throws when aborted. */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted()
    await nextTurn()
    this.#signal?.throwIfAborted()
    this.#since = process.uptime()
  }

  /** Pauses where the slice has used its time. */
  async breathe(): Promise<void> {
    if (this.due) await this.pause()
  }
}
