/**
 * Long arithmetic in JavaScript in slices: `breathe()` between slices lets the event loop turn as soon as the
 * slice has used its time.
 */
import { nextTurn } from './builtins.js'

/** Well below the 50 ms that nothing of Octavo may hold the event loop for. */
const SLICE_MS = 8

export class Pace {
  private start = performance.now()

  constructor(private readonly signal?: AbortSignal) {}

  /** Cheap when the slice is young; otherwise waits for the next turn of the event loop. Throws when aborted. */
  async breathe(): Promise<void> {
    if (performance.now() - this.start < SLICE_MS) return
    await nextTurn()
    this.signal?.throwIfAborted()
    this.start = performance.now()
  }
}
