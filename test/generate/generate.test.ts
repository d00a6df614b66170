import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Sampler } from '../../lib/generate/sampler.js'
import {
  type GenerateOptions,
  generate,
  InferenceSession,
  Tensor,
  type TextTokenizer,
} from '../../lib/index.js'
import { script } from '../bench/module.js'

interface Decoder {
  decoder(shape: object, weights: object, options: object): Uint8Array
}
const { decoder } = await script<Decoder>('models/language/decoder.mjs')
const { TINY, STORIES_260K } = await script<Record<string, object>>('models/language/shapes.mjs')
const weights = await script<{
  seededWeights(seed: number): object
  storiesWeights(path: string): Promise<object>
}>('models/language/weights.mjs')

const STORIES = '../shared/models/stories260K.onnx'
const TOKENS = '../shared/models/data/tinystories_tsmini_tok512.json'
const spelled = { form: 'fp32', attention: 'spelled' }
const tiny = (seed = 7) => decoder(TINY as object, weights.seededWeights(seed), spelled)

async function all(session: InferenceSession, prompt: string | number[], options?: GenerateOptions) {
  const steps = []
  for await (const step of generate(session, prompt, options)) steps.push(step)
  return steps
}
const tokensOf = (steps: readonly { token: number }[]) => steps.map((s) => s.token)

/** One character a token; tokens from 200 are halves of one. */
const letters: TextTokenizer = {
  encode: (text) => ({ ids: [...text].map((c) => c.charCodeAt(0)) }),
  decode: (tokens) => {
    // As @huggingface/tokenizers has it.
    if (tokens.length === 0) throw new Error('token_ids must be a non-empty array of integers.')
    return String.fromCharCode(...tokens.map((t) => 97 + (t % 26)))
  },
}

describe('generate', () => {
  it('hands the past on: the tokens are those of the whole sequence read again', async () => {
    const session = await InferenceSession.create(tiny())
    const prompt = [1, 5, 9, 20, 33]
    const steps = await all(session, prompt, { maxTokens: 8, temperature: 1, seed: 3 })
    expect(steps.at(-1)?.finish).toBe('length')
    const sequence = [...prompt]
    const sampler = new Sampler({ temperature: 1, topK: Infinity, topP: 1, seed: 3 })
    for (const { token } of steps) {
      const n = sequence.length
      const feeds: Record<string, Tensor> = {
        input_ids: new Tensor('int64', BigInt64Array.from(sequence, BigInt), [1, n]),
        attention_mask: new Tensor('int64', new BigInt64Array(n).fill(1n), [1, n]),
        position_ids: new Tensor('int64', BigInt64Array.from(sequence.keys(), BigInt), [1, n]),
      }
      for (const name of session.inputNames) {
        if (name.startsWith('past')) feeds[name] = new Tensor('float32', new Float32Array(0), [1, 2, 0, 16])
      }
      const logits = (await session.run(feeds)).logits as Tensor
      expect(sampler.next((logits.data as Float32Array).subarray((n - 1) * 300))).toBe(token)
      sequence.push(token)
    }
    await session.release()
  })

  it('draws the same tokens by the same seed, others by another', async () => {
    const session = await InferenceSession.create(tiny())
    const draw = async (seed: number) =>
      tokensOf(await all(session, [1], { maxTokens: 12, temperature: 2, seed }))
    expect(await draw(1)).toEqual(await draw(1))
    expect(await draw(1)).not.toEqual(await draw(2))
    await session.release()
  })

  it('ends at tokens and texts to stop at, which are not in the text', async () => {
    const session = await InferenceSession.create(tiny())
    const options = { maxTokens: 12, temperature: 2, seed: 5, tokenizer: letters }
    const free = await all(session, 'ab', options)
    const text = free.map((s) => s.text).join('')
    expect(text).toHaveLength(12)
    const stop = text.slice(4, 7)
    const cut = await all(session, 'ab', { ...options, stop: [stop] })
    expect(cut.map((s) => s.text).join('')).toBe(text.slice(0, text.indexOf(stop)))
    expect(cut.at(-1)?.finish).toBe('stop')
    const token = free[3]?.token as number
    const ended = await all(session, 'ab', { ...options, stop: [token] })
    expect(tokensOf(ended)).toEqual(tokensOf(free).slice(0, tokensOf(free).indexOf(token) + 1))
    await session.release()
  })

  it('stops when the signal aborts, with its reason', async () => {
    const session = await InferenceSession.create(tiny())
    const controller = new AbortController()
    const run = async () => {
      for await (const _ of generate(session, [1, 2], { signal: controller.signal }))
        controller.abort(new Error('enough'))
    }
    await expect(run()).rejects.toThrow('enough')
    await session.release()
  })

  it.each<[string, string | number[], GenerateOptions, string]>([
    ['no tokens', [], {}, 'ERR_INVALID_ARG_TYPE'],
    ['text without a tokenizer', 'a', {}, 'ERR_INVALID_ARG_TYPE'],
    ['a stop text without a tokenizer', [1], { stop: ['a'] }, 'ERR_INVALID_ARG_TYPE'],
    ['temperature', [1], { temperature: -1 }, 'ERR_OUT_OF_RANGE'],
    ['topP', [1], { topP: 0 }, 'ERR_OUT_OF_RANGE'],
    ['topK', [1], { topK: 0 }, 'ERR_OUT_OF_RANGE'],
    ['maxTokens', [1], { maxTokens: 0.5 }, 'ERR_OUT_OF_RANGE'],
  ])('refuses %s', async (_, prompt, options, code) => {
    const session = await InferenceSession.create(tiny())
    await expect(all(session, prompt, options)).rejects.toMatchObject({ code })
    await session.release()
  })

  it.skipIf(!existsSync(STORIES))('continues a story alike with and without a past', async () => {
    const prompt = (JSON.parse(readFileSync(TOKENS, 'utf8')) as number[][])[0]?.slice(0, 12) as number[]
    const whole = await InferenceSession.create(STORIES)
    const source = decoder(STORIES_260K as object, await weights.storiesWeights(STORIES), spelled)
    const cached = await InferenceSession.create(source)
    const options = { maxTokens: 24 }
    expect(tokensOf(await all(cached, prompt, options))).toEqual(tokensOf(await all(whole, prompt, options)))
    await Promise.all([whole.release(), cached.release()])
  })
})

describe('Sampler', () => {
  const draws = (sampling: object, logits: number[]) => {
    const sampler = new Sampler({ temperature: 1, topK: Infinity, topP: 1, seed: 1, ...sampling })
    return Array.from({ length: 4000 }, () => sampler.next(logits))
  }
  const share = (tokens: number[], token: number) => tokens.filter((t) => t === token).length / tokens.length

  it('takes the first of the likeliest without temperature', () => {
    expect(new Set(draws({ temperature: 0 }, [0, 2, 2]))).toEqual(new Set([1]))
  })

  it('draws by the probabilities', () => {
    const tokens = draws({}, [Math.log(0.5), Math.log(0.3), Math.log(0.2)])
    for (const [token, p] of [0.5, 0.3, 0.2].entries()) expect(share(tokens, token)).toBeCloseTo(p, 1)
  })

  it('keeps the likeliest by number and by probability', () => {
    const logits = [0.1, 0.5, 0.3, 0.1].map(Math.log)
    expect(new Set(draws({ topK: 2 }, logits))).toEqual(new Set([1, 2]))
    expect(new Set(draws({ topP: 0.5 }, logits))).toEqual(new Set([1]))
    expect(new Set(draws({ topP: 0.75 }, logits))).toEqual(new Set([1, 2]))
  })
})
