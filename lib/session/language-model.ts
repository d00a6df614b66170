/** Inputs and outputs of a language model, told by the names that exporters give them. */
import { OctavoError } from '../errors.js'
import { Tensor } from './tensor.js'
import { arrayOf, type TensorType } from './tensor-types.js'

/** What an input is made of; `count` tokens of a run, of which the first is at `start` of the sequence. */
type Maker = (count: number, start: number) => readonly [values: readonly number[], dims: readonly number[]]

const row = (values: readonly number[]) => [values, [1, values.length]] as const
const positions = (count: number, start: number) => Array.from({ length: count }, (_, i) => start + i)

const MAKERS: Readonly<Record<string, Maker>> = {
  attention_mask: (count, start) => row(new Array(start + count).fill(1)),
  position_ids: (count, start) => row(positions(count, start)),
  cache_position: (count, start) => [positions(count, start), [count]],
  token_type_ids: (count) => row(new Array(count).fill(0)),
  num_logits_to_keep: () => [[1], []],
  use_cache_branch: (_, start) => [[start > 0 ? 1 : 0], [1]],
}

/** An input as far as it is asked for here. */
export interface NamedInput {
  readonly name: string
  readonly type: string
}

export interface LanguageModel<T extends NamedInput> {
  readonly ids: T
  readonly logits: string
  /** Inputs that the number of tokens and the length of the past decide. */
  readonly made: readonly T[]
  /** Inputs of the past, each with the output that it is in the next run. */
  readonly past: readonly { readonly input: T; readonly present: string }[]
}

/** Tells the inputs and outputs apart. An input of unknown meaning is an ERR_UNSUPPORTED_OP. */
export function languageModel<T extends NamedInput>(
  inputs: readonly T[],
  outputs: readonly string[],
): LanguageModel<T> {
  const past = inputs.flatMap((input) => {
    const present = presentNames(input.name).find((name) => outputs.includes(name))
    return present === undefined ? [] : [{ input, present }]
  })
  const rest = inputs.filter((input) => past.every((p) => p.input !== input))
  const made = rest.filter((input) => Object.hasOwn(MAKERS, input.name))
  const others = rest.filter((input) => !made.includes(input))
  const ids = others.find((i) => i.name === 'input_ids') ?? others[0]
  const unknown = others.find((input) => input !== ids)
  if (!ids || !/^int(32|64)$/.test(ids.type))
    throw noLanguageModel('an input of token numbers, int64 or int32', 'none', ids?.name)
  if (unknown)
    throw noLanguageModel(
      'inputs of tokens, masks, positions and the past',
      `'${unknown.name}'`,
      unknown.name,
    )
  const logits =
    outputs.find((name) => name === 'logits') ?? outputs.find((name) => past.every((p) => p.present !== name))
  if (logits === undefined) throw noLanguageModel('an output of logits', outputs.join(', ') || 'none')
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

export function noLanguageModel(expected: string, got: string, tensor?: string): OctavoError {
  return new OctavoError('ERR_UNSUPPORTED_OP', `language model: expected ${expected}, got ${got}.`, {
    tensor,
  })
}

/** A mask, positions and the like for so many tokens after a past. */
export function madeInput({ name, type }: NamedInput, count: number, start: number): Tensor {
  return integers(type as TensorType, ...(MAKERS[name] as Maker)(count, start))
}

/** A tensor of an integer or bool type. */
export function integers(type: TensorType, values: readonly number[], dims: readonly number[]): Tensor {
  const big = type === 'int64' || type === 'uint64'
  const array = arrayOf(type)
  if (!array) throw noLanguageModel('a numeric input', type)
  return new Tensor(type, array.from(big ? values.map(BigInt) : values), [...dims])
}
