import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Tokenizer } from '@huggingface/tokenizers'
import { beforeAll, describe, expect, test } from 'vitest'
import { readTokenizer } from '../../lib/generate/tokenizer.js'
import { type GenerateOptions, generate, InferenceSession } from '../../lib/index.js'
import { script } from '../bench/module.js'
import { writeTokenizer } from '../helpers/tokenizer.js'
import { octavo } from './octavo.js'

const { decoder } = await script<{
  decoder(shape: object, weights: object, options: object): Uint8Array
}>('models/language/decoder.mjs')
const { TINY } = await script<{ TINY: object }>('models/language/shapes.mjs')
const { seededWeights } = await script<{ seededWeights(seed: number): object }>('models/language/weights.mjs')

/** So many tokens as the tokenizer of the tests has. */
const SHAPE = { ...TINY, vocabulary: 70 }
const END = 69
const PROMPT = 'Once upon'
let folder = ''
const at = (name: string) => join(folder, name)
const given = () => [at('model.onnx'), '--tokenizer', folder, '--prompt', PROMPT]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octavo-generate-'))
  await writeFile(at('model.onnx'), decoder(SHAPE, seededWeights(4), { form: 'fp32', attention: 'spelled' }))
  await writeTokenizer(folder, END)
})

async function expected(options: GenerateOptions) {
  const { tokenizer } = await readTokenizer(folder)
  const session = await InferenceSession.create(at('model.onnx'))
  const steps = []
  for await (const step of generate(session, PROMPT, { tokenizer, stop: [END, 1], ...options }))
    steps.push(step)
  await session.release()
  return { tokens: steps.map((s) => s.token), text: steps.map((s) => s.text).join('') }
}

describe('octavo generate', () => {
  test('prints what generate gives', async () => {
    const { text } = await expected({ maxTokens: 12 })
    expect(text).not.toBe('')
    expect(await octavo('generate', ...given(), '--max-tokens', '12')).toEqual({
      code: 0,
      out: `${text}\n`,
      err: '',
    })
  })

  test('draws by its flags, and says how in JSON', async () => {
    const sampling = { maxTokens: 9, temperature: 1.5, topK: 40, topP: 0.9, seed: 4 }
    const { tokens, text } = await expected(sampling)
    const flags = '--max-tokens 9 --temperature 1.5 --top-k 40 --top-p 0.9 --seed 4 --json'.split(' ')
    const { out } = await octavo('generate', ...given(), ...flags)
    expect(JSON.parse(out)).toMatchObject({ tokens, text, prompt: { tokens: PROMPT.length + 1 } })
  })

  test('ends at a text', async () => {
    const { text } = await expected({ maxTokens: 12 })
    const stop = text.slice(3, 5)
    const { out } = await octavo('generate', ...given(), '--max-tokens', '12', '--stop', stop)
    expect(out).toBe(`${text.slice(0, text.indexOf(stop))}\n`)
  })

  test('Ctrl-C ends it', async () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
    const args = ['generate', ...given(), '--max-tokens', '1000000', '--temperature', '3']
    await writeFile(at('generation_config.json'), '{}')
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.stdout.once('data', () => child.kill('SIGINT'))
    const [code] = await once(child, 'close')
    expect(err).toContain('octavo: stopped')
    expect(code).toBe(1)
  })

  test.each([
    ['a tokenizer that is not there', ['--tokenizer', '/nowhere.json'], '/nowhere.json', 1],
    ['a top-p beyond 1', ['--top-p', '2'], 'topP', 2],
    ['a temperature that is no number', ['--temperature', 'warm'], 'expected a number', 2],
  ])('refuses %s', async (_, flags, message, code) => {
    const result = await octavo('generate', ...given(), ...flags)
    expect(result.err).toContain(message)
    expect(result.code).toBe(code)
  })
})

describe('readTokenizer', () => {
  test('reads a file or its folder, and which tokens end a text', async () => {
    await writeTokenizer(folder, END)
    for (const path of [folder, at('tokenizer.json')]) {
      const { tokenizer, ends } = await readTokenizer(path)
      expect(tokenizer).toBeInstanceOf(Tokenizer)
      expect(ends).toEqual([END, 1])
      expect(tokenizer.decode([...tokenizer.encode('abc').ids], { skip_special_tokens: true })).toBe('abc')
    }
  })

  test.each([
    ['no JSON', '{', 'no tokenizer'],
    ['another file', '{"a": 1}', "expected a tokenizer.json with a 'model'"],
    ['an unknown model', '{"model": {"type": "Other"}}', 'no tokenizer'],
  ])('refuses %s', async (_, text, message) => {
    await writeFile(at('bad.json'), text)
    await expect(readTokenizer(at('bad.json'))).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringContaining(message),
    })
  })
})
