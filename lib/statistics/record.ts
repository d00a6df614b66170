/**
 * Records: what a statistics step keeps in its state, described once. Lowering takes the size of the state from here, the
 * native steps their struct (native/ops/observe/records.h, made by scripts/gen-records.mjs), and `readRecord` the fields.
 */
import { OctavoError } from '../errors.js'

/** Sizes that a field may have; a record is read with numbers for those that it uses. */
export type Size = 'bins' | 'channels' | 'capacity'
export type Sizes = Readonly<Partial<Record<Size, number>>>

export interface Field {
  readonly name: string
  readonly dtype: 'float64' | 'float32'
  /** Its elements are the product of these; none: a single number. */
  readonly length: readonly Size[]
}

const number = <const N extends string>(name: N) => ({ name, dtype: 'float64', length: [] }) as const
const numbers = <const N extends string, const L extends readonly Size[]>(name: N, ...length: L) =>
  ({ name, dtype: 'float64', length }) as const
const floats = <const N extends string, const L extends readonly Size[]>(name: N, ...length: L) =>
  ({ name, dtype: 'float32', length }) as const

/** Every record starts with these: finite elements seen, and those that were infinite or NaN, which nothing else counts. */
const seen = [number('count'), number('nonfinite')] as const
const moments = [...seen, number('min'), number('max'), number('sum'), number('sumOfSquares')] as const

/** The fields of every statistic, in the order of the state. All start at zero. */
export const RECORDS = {
  /** Extremes and power sums of all elements. */
  moments,
  /**
   * `counts`: bin i holds [(i - bins/2) * width, (i + 1 - bins/2) * width). `width`: a power of two, 0 before the first
   * element.
   */
  histogram: [...moments, number('width'), numbers('counts', 'bins')],
  /** Extremes of all runs, and the exponential average of those of every run (`low`, `high`) over `runs` runs. */
  extremes: [...seen, number('min'), number('max'), number('runs'), number('low'), number('high')],
  /** Finite elements of every channel, and their extremes (0 and 0 while there are none). */
  channelExtremes: [
    ...seen,
    numbers('counts', 'channels'),
    numbers('lows', 'channels'),
    numbers('highs', 'channels'),
  ],
  /** Sum of every channel: in the order of the elements, in float64. */
  channelSums: [...seen, numbers('sums', 'channels')],
  /** X^T X, where the rows of X are the vectors along the channel axis, and the number of `rows`. */
  gram: [...seen, number('rows'), numbers('products', 'channels', 'channels')],
  /** A fair sample of at most `capacity` of the vectors along the channel axis: `held` of `rows` (Algorithm R). */
  samples: [
    ...seen,
    number('rows'),
    number('held'),
    number('random'),
    floats('vectors', 'capacity', 'channels'),
  ],
} as const satisfies Readonly<Record<string, readonly Field[]>>

export type StatisticKind = keyof typeof RECORDS

type FieldsOf<K extends StatisticKind> = (typeof RECORDS)[K][number]
type ValueOf<F extends Field> = F['length'] extends readonly []
  ? number
  : F['dtype'] extends 'float32'
    ? Float32Array
    : Float64Array

/** The record of a statistic by the names of its fields. Arrays are views of the state that was read. */
export type StatisticRecord<K extends StatisticKind> = {
  readonly [F in FieldsOf<K> as F['name']]: ValueOf<F>
}

/** What was gathered about one value, by statistic. */
export type Statistics = { readonly [K in StatisticKind]?: StatisticRecord<K> }

export type Moments = StatisticRecord<'moments'>
export type Histogram = StatisticRecord<'histogram'>

function elementsOf({ length }: Field, sizes: Sizes): number {
  return length.reduce((n, size) => n * (sizes[size] ?? 0), 1)
}

/** float64 words of a field: a float32 one takes half of them, rounded up. */
function wordsOf(field: Field, sizes: Sizes): number {
  const n = elementsOf(field, sizes)
  return field.dtype === 'float64' ? n : Math.ceil(n / 2)
}

/** Size of the state of a statistic, in float64 words. */
export function recordWords(kind: StatisticKind, sizes: Sizes): number {
  return RECORDS[kind].reduce((n, field) => n + wordsOf(field, sizes), 0)
}

/** Reads a state. Throws ERR_INTERNAL where its size is not that of the record. */
export function readRecord<K extends StatisticKind>(
  kind: K,
  state: ArrayBuffer,
  sizes: Sizes,
): StatisticRecord<K> {
  const words = recordWords(kind, sizes)
  if (state.byteLength !== 8 * words) {
    throw new OctavoError(
      'ERR_INTERNAL',
      `State of '${kind}' has ${state.byteLength} bytes, expected ${8 * words}.`,
    )
  }
  const record: Record<string, number | Float64Array | Float32Array> = {}
  let at = 0
  for (const field of RECORDS[kind] as readonly Field[]) {
    const n = elementsOf(field, sizes)
    if (field.length.length === 0) record[field.name] = new Float64Array(state, 8 * at, 1)[0] as number
    else if (field.dtype === 'float32') record[field.name] = new Float32Array(state, 8 * at, n)
    else record[field.name] = new Float64Array(state, 8 * at, n)
    at += wordsOf(field, sizes)
  }
  return record as unknown as StatisticRecord<K>
}
