// Seeded numbers for inputs that are drawn.
import { gaussian, uniform } from '../bench/models/builder.mjs'

/** { next(): 0..1, normal(), below(n): integer, between(low, high), pick(list) }, the same for the same seed. */
export function seeded(seed) {
  const next = uniform(Math.imul(seed + 1, 0x9e3779b1))
  for (let i = 0; i < 8; ++i) next()
  const below = (n) => Math.floor(next() * n)
  return {
    next,
    below,
    normal: () => gaussian(next),
    between: (low, high) => low + (high - low) * next(),
    pick: (list) => list[below(list.length)],
  }
}
