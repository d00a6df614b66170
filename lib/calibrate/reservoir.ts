/**
 * A fair sample of a stream of unknown length in bounded memory (Vitter 1985, Algorithm R), the same for the same
 * stream: the generator has a fixed seed.
 */
import type { EngineTensor } from './engine.js'

export type Sample = Readonly<Record<string, EngineTensor>>

export class Reservoir {
  private readonly held: Sample[] = []
  private seen = 0
  private bytes = 0
  private readonly random = mulberry32(0x0c7a)

  constructor(
    private readonly capacity: number,
    private readonly maxBytes: number,
  ) {}

  /** Offers the next sample of the stream; what is kept is copied. */
  offer(sample: Sample): void {
    ++this.seen
    const size = sizeOf(sample)
    if (this.held.length < this.capacity && (this.held.length === 0 || this.bytes + size <= this.maxBytes)) {
      this.held.push(copyOf(sample))
      this.bytes += size
      return
    }
    const slot = Math.floor(this.random() * this.seen)
    const old = this.held[slot]
    if (!old || this.bytes - sizeOf(old) + size > Math.max(this.maxBytes, this.bytes)) return
    this.held[slot] = copyOf(sample)
    this.bytes += size - sizeOf(old)
  }

  samples(): readonly Sample[] {
    return this.held
  }
}

export function sizeOf(sample: Sample): number {
  return Object.values(sample).reduce((n, tensor) => n + tensor.data.byteLength, 0)
}

function copyOf(sample: Sample): Sample {
  return Object.fromEntries(
    Object.entries(sample).map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]),
  )
}

/** T. Ettinger's mulberry32: 32 bits of state, good enough to pick samples. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
