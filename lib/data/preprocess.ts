/** How an image becomes a tensor: one grammar for the command line, JSON files and presets (docs/preprocess.md). */
import * as v from 'valibot'
import { rangeError } from '../errors.js'
import { readText } from './read-file.js'

const numbers = v.pipe(v.array(v.number()), v.minLength(1), v.maxLength(4))
const size = v.union([v.pipe(v.number(), v.integer(), v.minValue(1)), v.tuple([v.number(), v.number()])])

const schema = v.strictObject({
  /** Shorter side, or [width, height]: resized before cropping. */
  resize: v.optional(size),
  /** Side, or [width, height], of the centre crop. Absent: the size of the model's input where it is fixed. */
  crop: v.optional(size),
  /** How resize reaches [width, height]: `fill` stretches, `contain` pads with `pad`. */
  fit: v.optional(v.picklist(['fill', 'contain']), 'fill'),
  pad: v.optional(v.number(), 0),
  layout: v.optional(v.picklist(['nchw', 'nhwc'])),
  order: v.optional(v.picklist(['rgb', 'bgr', 'gray']), 'rgb'),
  /** value = (byte * scale - mean) / std, per channel. */
  scale: v.optional(v.number(), 1),
  mean: v.optional(numbers, [0]),
  std: v.optional(numbers, [1]),
  dtype: v.optional(v.picklist(['float32', 'uint8', 'int8', 'int32']), 'float32'),
})

/** What each key takes, for the message of a wrong one. */
const EXPECTED: Readonly<Record<keyof typeof schema.entries, string>> = {
  resize: 'N or WxH in pixels, as 256 or 320x240',
  crop: 'N or WxH in pixels, as 224 or 320x240',
  fit: 'fill or contain',
  pad: 'a number',
  layout: 'nchw or nhwc',
  order: 'rgb, bgr or gray',
  scale: 'a number or a quotient, as 0.5 or 1/255',
  mean: '1 to 4 numbers, as 0.5 or 0.485:0.456:0.406',
  std: '1 to 4 numbers, as 0.5 or 0.229:0.224:0.225',
  dtype: 'float32, uint8, int8 or int32',
}

/** A parsed specification; see docs/preprocess.md for each key. */
export type Preprocess = v.InferOutput<typeof schema>
type Input = v.InferInput<typeof schema>

export const PRESETS: Readonly<Record<string, Input>> = {
  raw: {},
  unit: { scale: 1 / 255 },
  symmetric: { scale: 1 / 127.5, mean: [1] },
  imagenet: {
    resize: 256,
    crop: 224,
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  },
  mobilenet: { resize: 256, crop: 224, scale: 1 / 127.5, mean: [1] },
  caffe: { resize: 256, crop: 224, order: 'bgr', mean: [104, 117, 123] },
}

/**
 * A specification from its text: a preset's name, `key=value` pairs separated by commas (lists by colons: `mean=0.5:0.5:0.5`),
 * both (`imagenet,crop=192`), or the path of a JSON file with the same keys.
 */
export async function parsePreprocess(text: string | undefined): Promise<Preprocess> {
  if (text === undefined || text === '') return check({}, '')
  if (text.endsWith('.json')) return check(await readJson(text), text)
  const [first = '', ...rest] = splitPairs(text)
  const preset = first.includes('=') ? undefined : PRESETS[first]
  if (!first.includes('=') && preset === undefined) {
    throw rangeError(
      `--preprocess: expected one of the presets ${Object.keys(PRESETS).join(', ')}, key=value pairs or a .json file, got '${first}'.`,
    )
  }
  const pairs = (preset ? rest : [first, ...rest]).map(parsePair)
  return check({ ...preset, ...Object.fromEntries(pairs) }, text)
}

/** Commas separate pairs; a piece without '=' continues the list of the pair before it (`mean=0.5,0.5,0.5`). */
function splitPairs(text: string): string[] {
  const pairs: string[] = []
  for (const piece of text.split(',')) {
    if (piece.includes('=') || pairs.length === 0 || !pairs.at(-1)?.includes('=')) pairs.push(piece.trim())
    else pairs[pairs.length - 1] += `:${piece.trim()}`
  }
  return pairs
}

function parsePair(pair: string): [string, unknown] {
  const at = pair.indexOf('=')
  if (at < 0) throw rangeError(`--preprocess: expected key=value, got '${pair}'.`)
  const [key, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
  const parts = value.split(/[:x]/).map(parseNumber)
  if (parts.every((p): p is number => p !== undefined)) {
    const list = key === 'mean' || key === 'std'
    return [key, parts.length === 1 && !list ? parts[0] : parts]
  }
  return [key, value]
}

/** A number, or a quotient such as 1/255. */
function parseNumber(text: string): number | undefined {
  const [a, b, ...more] = text.split('/').map((t) => (t.trim() === '' ? Number.NaN : Number(t)))
  if (a === undefined || more.length > 0) return undefined
  const value = b === undefined ? a : a / b
  return Number.isFinite(value) ? value : undefined
}

function check(input: unknown, from: string): Preprocess {
  const result = v.safeParse(schema, input)
  if (result.success) return result.output
  const part = result.issues[0].path?.[0]
  if (!part) throw rangeError(`--preprocess '${from}': expected an object of keys and values.`)
  const key = String(part.key)
  const expected = Object.hasOwn(EXPECTED, key) ? EXPECTED[key as keyof typeof EXPECTED] : undefined
  if (expected !== undefined) {
    const got = typeof part.value === 'string' ? part.value : JSON.stringify(part.value)
    throw rangeError(`--preprocess '${from}': ${key}: expected ${expected}, got '${got}'.`)
  }
  const keys = Object.keys(EXPECTED).join(', ')
  throw rangeError(`--preprocess '${from}': expected one of the keys ${keys}; got '${key}'.`)
}

async function readJson(path: string): Promise<unknown> {
  const text = await readText(path).catch((cause: Error) => {
    throw rangeError(`--preprocess: ${cause.message}`)
  })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw rangeError(
      `--preprocess: '${path}' is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    )
  }
}
