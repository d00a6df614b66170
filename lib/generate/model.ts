/** Inputs and outputs of a language model, told by the names that exporters give them. */
import { OctavoError } from '../errors.js'
import { float16ToNumber } from '../graph/float16.js'
import type { InferenceSession, ValueMetadata } from '../session/session.js'
import { Tensor } from '../session/tensor.js'
import { arrayOf, type TensorType } from '../session/tensor-types.js'

/** What an input is made of; `ids`: the tokens of a run, at `start` of the sequence. */
type Maker = (
  ids: readonly number[],
  start: number,
) => readonly [values: readonly number[], dims: readonly number[]]

const row = (values: readonly number[]) => [values, [1, values.length]] as const
const positions = (ids: readonly number[], start: number) => ids.map((_, i) => start + i)

const MAKERS: Readonly<Record<string, Maker>> = {
  attention_mask: (ids, start) => row(new Array(start + ids.length).fill(1)),
  position_ids: (ids, start) => row(positions(ids, start)),
  cache_position: (ids, start) => [positions(ids, start), [ids.length]],
  token_type_ids: (ids) => row(ids.map(() => 0)),
  num_logits_to_keep: () => [[1], []],
  use_cache_branch: (_, start) => [[start > 0 ? 1 : 0], [1]],
}

export interface LanguageModel {
  readonly ids: ValueMetadata
  readonly logits: string
  readonly made: readonly { readonly input: ValueMetadata; readonly make: Maker }[]
  /** Inputs of the past, each with the output that it is in the next run. */
  readonly past: readonly { readonly input: ValueMetadata; readonly present: string }[]
}

/** Tells the inputs and outputs apart. An input of unknown meaning is an ERR_UNSUPPORTED_OP. */
export function languageModel({ inputMetadata, outputMetadata }: InferenceSession): LanguageModel {
  const outputs = outputMetadata.map((o) => o.name)
  const past = inputMetadata.flatMap((input) => {
    const present = presentNames(input.name).find((name) => outputs.includes(name))
    return present === undefined ? [] : [{ input, present }]
  })
  const rest = inputMetadata.filter((input) => past.every((p) => p.input !== input))
  const made = rest.flatMap((input) => {
    const make = Object.hasOwn(MAKERS, input.name) ? MAKERS[input.name] : undefined
    return make ? [{ input, make }] : []
  })
  const others = rest.filter((input) => made.every((m) => m.input !== input))
  const ids = others.find((i) => i.name === 'input_ids') ?? others[0]
  const unknown = others.find((input) => input !== ids)
  if (!ids || !/^int(32|64)$/.test(ids.type))
    throw refused('an input of token numbers, int64 or int32', 'none', ids?.name)
  if (unknown)
    throw refused('inputs of tokens, masks, positions and the past', `'${unknown.name}'`, unknown.name)
  const logits =
    outputs.find((name) => name === 'logits') ?? outputs.find((name) => past.every((p) => p.present !== name))
  if (logits === undefined) throw refused('an output of logits', outputs.join(', ') || 'none')
  return { ids, logits, made, past }
}

function presentNames(name: string): string[] {
  if (!name.startsWith('past')) return []
  return [
    name.replace(/^past_key_values/, 'present'),
    name.replace(/^past/, 'present'),
    name.replace(/^past_key_values/, 'present_key_values'),
  ]
}

function refused(expected: string, got: string, tensor?: string): OctavoError {
  return new OctavoError('ERR_UNSUPPORTED_OP', `generate: expected ${expected}, got ${got}.`, { tensor })
}

/** A tensor of an integer or bool type. */
export function integers(type: TensorType, values: readonly number[], dims: readonly number[]): Tensor {
  const big = type === 'int64' || type === 'uint64'
  const array = arrayOf(type)
  if (!array) throw refused('a numeric input', type)
  return new Tensor(type, array.from(big ? values.map(BigInt) : values), [...dims])
}

/** A past of no tokens: one sequence, other open sizes 0. */
export function emptyPast({ type, shape, name }: ValueMetadata): Tensor {
  const batch = shape.findIndex((size) => typeof size === 'string' && /batch/i.test(size))
  const dims = shape.map((size, i) => {
    if (typeof size === 'number') return size
    return i === Math.max(batch, 0) ? 1 : 0
  })
  const array = arrayOf(type)
  if (!array) throw refused('a past of numbers', type, name)
  return new Tensor(type, new array(dims.reduce((n, d) => n * d, 1)), dims)
}

/** The logits after the last token: of [1, vocabulary] or [1, tokens, vocabulary]. */
export function lastLogits(tensor: Tensor): ArrayLike<number> {
  const size = tensor.dims.at(-1) ?? 0
  const data = tensor.data as Exclude<Tensor['data'], string[]>
  const last = data.subarray(data.length - size)
  if (size === 0 || data.length === 0)
    throw refused('logits of [1, tokens, vocabulary]', `[${tensor.dims.join(', ')}]`)
  if (tensor.type === 'float16' && last instanceof Uint16Array) return Array.from(last, float16ToNumber)
  return last as unknown as ArrayLike<number>
}
