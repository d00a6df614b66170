/** Tokenizers of Hugging Face's files, by the package @huggingface/tokenizers (an optional peer: only who has text needs it). */
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { OctavoError } from '../errors.js'
import type { TextTokenizer } from './types.js'

export interface FileTokenizer {
  readonly tokenizer: TextTokenizer
  /** Tokens that end a text, as the files beside the tokenizer say; may be empty. */
  readonly ends: readonly number[]
}

/** Of `tokenizer.json`, or of the folder that has it, with `tokenizer_config.json` and `generation_config.json` beside it where they are there. */
export async function readTokenizer(path: string): Promise<FileTokenizer> {
  const { Tokenizer } = await load()
  const place = await stat(path).catch(() => undefined)
  const file = place?.isDirectory() ? join(path, 'tokenizer.json') : path
  const beside = (name: string) => readJson(join(dirname(file), name), true)
  const model = await readJson(file, false)
  const config = basename(file) === 'tokenizer_config.json' ? {} : await beside('tokenizer_config.json')
  if (!isRecord(model.model))
    throw new OctavoError('ERR_IO', `'${file}': expected a tokenizer.json with a 'model', got none.`)
  const tokenizer = made(file, () => new Tokenizer(model, config))
  const { eos_token_id: numbers } = await beside('generation_config.json')
  const { eos_token: end } = config
  const text = isRecord(end) ? end.content : end
  const named = typeof text === 'string' ? tokenizer.token_to_id(text) : undefined
  const listed = (Array.isArray(numbers) ? numbers : [numbers]).filter((n) => typeof n === 'number')
  return { tokenizer, ends: [...new Set([...listed, ...(named === undefined ? [] : [named])])] }
}

async function load(): Promise<typeof import('@huggingface/tokenizers')> {
  try {
    return await import('@huggingface/tokenizers')
  } catch (cause) {
    throw new OctavoError(
      'ERR_MISSING_DEPENDENCY',
      "Reading a tokenizer needs the package '@huggingface/tokenizers': npm install @huggingface/tokenizers",
      { cause },
    )
  }
}

function made<T>(file: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new OctavoError('ERR_IO', `'${file}' is no tokenizer that can be used: ${why}`, { cause })
  }
}

type Json = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `optional`: `{}` where there is no such file. */
async function readJson(file: string, optional: boolean): Promise<Json> {
  if (optional && !(await stat(file).catch(() => undefined))) return {}
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OctavoError('ERR_IO', `cannot read '${file}': ${(cause as Error).message}`, { cause })
  })
  const value = made(file, (): unknown => JSON.parse(text))
  if (!isRecord(value)) throw new OctavoError('ERR_IO', `'${file}': expected a JSON object.`)
  return value
}
