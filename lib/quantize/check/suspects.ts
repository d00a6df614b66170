/** Which integer nodes add most error, by what was measured of what they read and make: whom to try first in float. */
import type { Node } from '../../graph/graph.js'
import type { Fusion } from '../assign/fusions.js'
import type { Quantization } from '../quantization.js'
import type { Measurement } from './measurement.js'
import { changedParts } from './parts.js'

/** How much less is made of what a node adds where its inputs are wrong already. */
const SATURATION = 10

export interface Suspect {
  readonly fusion: Fusion
  readonly node: Node
  /** Noise over signal that it adds: by rounding what it reads, its weights, and what it makes. */
  readonly added: number
}

/** The worst first. */
export function suspects(quantization: Quantization, { values }: Measurement): Suspect[] {
  const errorOf = (value: string) => values.get(value)
  return changedParts(quantization)
    .map((fusion) => {
      const { node, inputs, results } = fusion
      const read = inputs.map((i) => errorOf(node.inputs[i] ?? ''))
      const before = Math.max(0, ...read.map((e) => e?.total ?? 0))
      const rounding = Math.max(0, ...read.map((e) => e?.rounding ?? 0))
      const after = Math.max(0, ...results.map((v) => errorOf(v)?.total ?? 0))
      const own = Number.isFinite(after) ? Math.max(0, after - before) : after
      // After much error what one node adds is lost in it.
      return { fusion, node, added: (own + rounding) / (1 + SATURATION * before) }
    })
    .sort((a, b) => b.added - a.added)
}
