/** Tokens from a language model, one run each: the past is handed from run to run, or the whole sequence is read again. */
import { typeError } from '../errors.js'
import { integers, languageModel, madeInput } from '../session/language-model.js'
import type { InferenceSession } from '../session/session.js'
import type { Tensor } from '../session/tensor.js'
import { emptyPast, lastLogits } from './model.js'
import { checkOptions } from './options.js'
import { Sampler } from './sampler.js'
import { TextStream } from './text-stream.js'
import type { GeneratedToken, GenerateOptions } from './types.js'

export type { DecodeOptions, EncodedText, GeneratedToken, GenerateOptions, TextTokenizer } from './types.js'

/** See `tools.ts`. */
export async function* generate(
  session: InferenceSession,
  prompt: string | readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  const { maxTokens, sampling, stopTokens, stopTexts } = checkOptions(options)
  const { tokenizer, signal } = options
  const sequence = promptTokens(prompt, options)
  const run = decoderOf(session, signal)
  const sampler = new Sampler(sampling)
  const stream = new TextStream(tokenizer, stopTexts)
  for (let count = 1; ; ++count) {
    const token = sampler.next(await run(sequence))
    if (stopTokens.has(token)) return yield { token, text: stream.rest(), finish: 'stop' }
    const last = count === maxTokens
    const { text, stopped } = stream.push(token, last)
    if (stopped) return yield { token, text, finish: 'stop' }
    if (last) return yield { token, text, finish: 'length' }
    yield { token, text }
    sequence.push(token)
  }
}

function promptTokens(prompt: unknown, { tokenizer }: GenerateOptions): number[] {
  if (typeof prompt === 'string' && !tokenizer) throw typeError("a prompt that is text needs a 'tokenizer'.")
  const tokens: unknown = typeof prompt === 'string' ? tokenizer?.encode(prompt).ids : prompt
  const fits = (t: unknown) => Number.isSafeInteger(t) && (t as number) >= 0
  if (!Array.isArray(tokens) || tokens.length === 0 || !tokens.every(fits)) {
    throw typeError("'prompt' should be a text, or an array of token numbers, with at least one token.")
  }
  return [...tokens]
}

/** Gives the logits after a sequence, which is the one of the call before and more. */
function decoderOf(session: InferenceSession, signal: AbortSignal | undefined) {
  const { ids, logits, made, past } = languageModel(session.inputMetadata, session.outputNames)
  // What the session has seen before stays before the sequence.
  const before = session.pastLength ?? 0
  const keeps = past.length > 0 || session.pastLength !== undefined
  let start = 0
  let presents: Record<string, Tensor> | undefined
  return async (sequence: readonly number[]): Promise<ArrayLike<number>> => {
    const tokens = sequence.slice(start)
    const feeds: Record<string, Tensor> = { [ids.name]: integers(ids.type, tokens, [1, tokens.length]) }
    for (const input of made) feeds[input.name] = madeInput(input, tokens.length, before + start)
    for (const { input, present } of past) feeds[input.name] = presents?.[present] ?? emptyPast(input)
    const results = await session.run(feeds, [logits, ...past.map((p) => p.present)], { signal })
    if (keeps) start = sequence.length
    presents = results
    return lastLogits(results[logits] as Tensor)
  }
}
