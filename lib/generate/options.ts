/** Options of `generate`, checked, with their defaults. */
import { rangeError, typeError } from '../errors.js'
import type { Sampling } from './sampler.js'
import type { GenerateOptions } from './types.js'

export interface CheckedOptions {
  readonly maxTokens: number
  readonly sampling: Sampling
  readonly stopTokens: ReadonlySet<number>
  readonly stopTexts: readonly string[]
}

export function checkOptions(options: GenerateOptions): CheckedOptions {
  const { maxTokens = 256, temperature = 0, topK = Infinity, topP = 1, seed = 0, stop = [] } = options
  if (topK !== Infinity) whole('topK', topK, 1, Number.MAX_SAFE_INTEGER)
  whole('maxTokens', maxTokens, 1, Number.MAX_SAFE_INTEGER)
  whole('seed', seed, 0, 2 ** 32 - 1)
  between('temperature', temperature, (t) => t >= 0 && t < Infinity, '0 or more')
  between('topP', topP, (p) => p > 0 && p <= 1, 'above 0, at most 1')
  if (!Array.isArray(stop)) throw typeError("'stop' should be an array of tokens and texts.")
  const texts = stop.filter((s): s is string => typeof s === 'string')
  const tokens = stop.filter((s): s is number => typeof s !== 'string')
  for (const token of tokens) whole('stop', token, 0, Number.MAX_SAFE_INTEGER)
  if (texts.includes('')) throw rangeError("'stop' should have no empty text.")
  if (texts.length > 0 && !options.tokenizer)
    throw typeError("'stop' has texts: 'tokenizer' is needed for them.")
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal))
    throw typeError("'signal' should be an AbortSignal.")
  return {
    maxTokens,
    sampling: { temperature, topK, topP, seed },
    stopTokens: new Set(tokens),
    stopTexts: texts,
  }
}

function whole(name: string, value: unknown, least: number, most: number): void {
  between(
    name,
    value,
    (n) => Number.isInteger(n) && n >= least && n <= most,
    `an integer in [${least}, ${most}]`,
  )
}

function between(name: string, value: unknown, fits: (value: number) => boolean, expected: string): void {
  if (typeof value !== 'number') throw typeError(`'${name}' should be a number, got ${typeof value}.`)
  if (!fits(value)) throw rangeError(`'${name}' should be ${expected}, got ${value}.`)
}
