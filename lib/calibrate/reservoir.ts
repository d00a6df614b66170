/**
 * A fair sample of a stream of unknown length in bounded memory (Vitter 1985, Algorithm R), the same for the same
 * stream: the generator has a fixed seed.
 */
import type { Statistics } from '../statistics/record.js'
import type { EngineTensor } from './engine.js'

export type Sample = Readonly<Record<string, EngineTensor>>

/** A sample that is kept, and what was observed while it ran. */
export interface HeldSample {
  readonly sample: Sample
  statistics: ReadonlyMap<string, Statistics>
}

export class Reservoir {
  private readonly kept: HeldSample[] = []
  private seen = 0
  private bytes = 0
  private readonly random = mulberry32(0x0c7a)

  constructor(
    private readonly capacity: number,
    private readonly maxBytes: number,
  ) {}

  /** Offers the next sample of the stream. What is kept is copied and returned: its statistics are the caller's to set. */
  offer(sample: Sample): HeldSample | undefined {
    ++this.seen
    const size = sizeOf(sample)
    if (this.kept.length < this.capacity && (this.kept.length === 0 || this.bytes + size <= this.maxBytes)) {
      return this.keep(sample, this.kept.length, size)
    }
    const slot = Math.floor(this.random() * this.seen)
    const old = this.kept[slot]
    if (!old) return undefined
    const grown = size - sizeOf(old.sample)
    if (this.bytes + grown > Math.max(this.maxBytes, this.bytes)) return undefined
    return this.keep(sample, slot, grown)
  }

  held(): readonly HeldSample[] {
    return this.kept
  }

  private keep(sample: Sample, slot: number, grown: number): HeldSample {
    const held = { sample: copyOf(sample), statistics: new Map<string, Statistics>() }
    this.kept[slot] = held
    this.bytes += grown
    return held
  }
}

export function sizeOf(sample: Sample): number {
  return Object.values(sample).reduce((n, tensor) => n + tensor.data.byteLength, 0)
}

/** A sample that does not share the caller's memory. */
export function copyOf(sample: Sample): Sample {
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
