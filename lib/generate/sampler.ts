/** The next token of its logits: the likeliest, or a draw by a seeded generator (temperature, then top-k, then top-p). */
import { OctavoError } from '../errors.js'

export interface Sampling {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly seed: number
}

export class Sampler {
  #state: number

  constructor(private readonly sampling: Sampling) {
    this.#state = sampling.seed >>> 0
  }

  next(logits: ArrayLike<number>): number {
    const best = likeliest(logits)
    const { temperature, topK, topP } = this.sampling
    if (temperature === 0) return best
    const most = Number(logits[best])
    const weight = (token: number) => Math.exp((Number(logits[token]) - most) / temperature)
    let tokens = Array.from({ length: logits.length }, (_, i) => i)
    if (topK < tokens.length || topP < 1) {
      tokens.sort((a, b) => Number(logits[b]) - Number(logits[a]) || a - b)
      tokens = tokens.slice(0, topK)
    }
    const weights = tokens.map(weight)
    const total = weights.reduce((sum, w) => sum + w, 0)
    if (topP < 1) tokens.length = within(weights, topP * total)
    const kept = weights.slice(0, tokens.length).reduce((sum, w) => sum + w, 0)
    let left = this.#random() * kept
    for (const [i, token] of tokens.entries()) {
      left -= weights[i] as number
      if (left < 0) return token
    }
    return best
  }

  /** mulberry32: 32 bits of state, in [0, 1). */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The first of the largest. */
function likeliest(logits: ArrayLike<number>): number {
  let best = 0
  for (let i = 0; i < logits.length; ++i) {
    const x = Number(logits[i])
    if (Number.isNaN(x))
      throw new OctavoError('ERR_RUN', `expected logits that are numbers, got NaN for token ${i}.`)
    if (x > Number(logits[best])) best = i
  }
  return best
}

/** How many of the first reach the sum; at least one. */
function within(weights: readonly number[], sum: number): number {
  let reached = 0
  for (const [i, weight] of weights.entries()) {
    reached += weight
    if (reached >= sum) return i + 1
  }
  return weights.length
}
