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
    const likelyFirst = (a: number, b: number) => Number(logits[b]) - Number(logits[a]) || a - b
    let tokens = Array.from({ length: logits.length }, (_, i) => i)
    // Of a vocabulary only those are sorted that may be kept.
    if (topK < tokens.length) {
      const least = nthLargest(logits, topK)
      tokens = tokens.filter((token) => Number(logits[token]) >= least)
      tokens = tokens.sort(likelyFirst).slice(0, topK)
    }
    let weights = tokens.map(weight)
    if (topP < 1) {
      const total = sum(weights)
      // All below this together are less than what is left out.
      const least = ((1 - topP) * total) / tokens.length
      tokens = tokens.filter((_, i) => (weights[i] as number) >= least).sort(likelyFirst)
      weights = tokens.map(weight)
      tokens.length = within(weights, topP * total)
    }
    const kept = sum(weights.slice(0, tokens.length))
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

/** n: at least 1, at most as many as there are. */
function nthLargest(logits: ArrayLike<number>, n: number): number {
  const sorted = Float64Array.from(logits).sort()
  return sorted[sorted.length - n] as number
}

function sum(weights: readonly number[]): number {
  return weights.reduce((total, w) => total + w, 0)
}

/** How many of the first reach the sum; at least one. */
function within(weights: readonly number[], least: number): number {
  let reached = 0
  for (const [i, weight] of weights.entries()) {
    reached += weight
    if (reached >= least) return i + 1
  }
  return weights.length
}
