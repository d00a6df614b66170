/**
 * Language models under transformers.js: the tokens over Octavo are those over its own runtime, for files as they are on its hub (a past
 * of length 0, a prompt, single tokens). OCTAVO_TRANSFORMERS_PATH names a folder whose node_modules has it.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { script } from '../../bench/module.js'
import { writeTokenizer } from '../../helpers/tokenizer.js'

const folder = process.env.OCTAVO_TRANSFORMERS_PATH
const { decoder } = await script<{
  decoder(shape: object, weights: object, options: object): Uint8Array
}>('models/language/decoder.mjs')
const { TINY } = await script<{ TINY: Sizes }>('models/language/shapes.mjs')
const { seededWeights } = await script<{ seededWeights(seed: number): object }>('models/language/weights.mjs')

type Sizes = Record<'width' | 'hidden' | 'heads' | 'keyHeads' | 'layers' | 'context', number>

/** Forms of files, with the names that transformers.js has for them. */
const FILES = {
  fp32: 'model',
  q4: 'model_q4',
  q4f16: 'model_q4f16',
  q8: 'model_quantized',
  bnb4: 'model_bnb4',
}
const SHAPE = { ...TINY, vocabulary: 70 }
const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: SHAPE.width,
  intermediate_size: SHAPE.hidden,
  num_attention_heads: SHAPE.heads,
  num_key_value_heads: SHAPE.keyHeads,
  num_hidden_layers: SHAPE.layers,
  vocab_size: SHAPE.vocabulary,
  max_position_embeddings: SHAPE.context,
  bos_token_id: 0,
  eos_token_id: 69,
  'transformers.js_config': { kv_cache_dtype: { q4f16: 'float16' } },
}

let models = ''
const run = promisify(execFile)

async function tokensOf(model: string, dtype: string, octavo?: string): Promise<number[]> {
  const child = fileURLToPath(new URL('child.mjs', import.meta.url))
  const transformers = join(
    folder as string,
    'node_modules/@huggingface/transformers/dist/transformers.node.mjs',
  )
  const job = { transformers: pathToFileURL(transformers), octavo, folder: models, model, dtype }
  const { stdout } = await run(process.execPath, [
    child,
    JSON.stringify({ ...job, text: 'Once upon a time', count: 24 }),
  ])
  return JSON.parse(stdout) as number[]
}

describe.skipIf(!folder)('transformers.js', () => {
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), 'octavo-transformers-'))
    for (const attention of ['group-query', 'rotary', 'spelled']) {
      const place = join(models, attention)
      await mkdir(join(place, 'onnx'), { recursive: true })
      await writeTokenizer(place, 69)
      await writeFile(join(place, 'config.json'), JSON.stringify(CONFIG))
      for (const [form, name] of Object.entries(FILES)) {
        // Without the rounding of activations there are no ties that two runtimes break in different ways.
        const bytes = decoder(SHAPE, seededWeights(4), { form, attention, level: 0 })
        await writeFile(join(place, 'onnx', `${name}.onnx`), bytes)
      }
    }
  })

  const cases = Object.keys(FILES).flatMap((dtype) =>
    ['group-query', 'rotary', 'spelled'].map((attention) => [dtype, attention] as const),
  )
  test.each(cases)('%s, %s', { timeout: 60_000 }, async (dtype, attention) => {
    const octavo = new URL('../../../dist/register.js', import.meta.url).href
    const expected = await tokensOf(attention, dtype)
    expect(expected).toHaveLength(17 + 24)
    expect(await tokensOf(attention, dtype, octavo)).toEqual(expected)
  })
})
