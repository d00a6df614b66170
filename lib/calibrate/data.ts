/** Calibration data: samples that are streamed, one at a time, and never held. */
import { OctavoError, typeError } from '../errors.js'

/** A tensor as callers give it: Octavo's Tensor, onnxruntime-common's, or any object of this form. */
export interface TensorLike {
  /** Element type, as `float32`. */
  readonly type: string
  /** Sizes, outermost first. */
  readonly dims: readonly number[]
  /** The elements in row-major order: a typed array. Those of float32 and float64 must be finite, or -Infinity in a mask. */
  readonly data: unknown
}

/** One sample: a tensor for every input of the model, by its name. */
export type Feeds = Readonly<Record<string, TensorLike>>

/** Samples in their order: an array, or a generator that makes one at a time. */
type Samples = Iterable<Feeds> | AsyncIterable<Feeds>

/** Samples, or a function that starts them anew for methods that need several passes. */
export type DataSource = Samples | (() => Samples | Promise<Samples>)

/** The samples of a source from its start, in order. */
export async function* samplesOf(source: DataSource, signal?: AbortSignal): AsyncGenerator<Feeds> {
  const samples: unknown = typeof source === 'function' ? await source() : source
  if (!isIterable(samples)) {
    throw typeError(
      `'data' must be an Iterable or AsyncIterable of feeds ({ [input]: Tensor }), or a function that returns one; received ${describe(samples)}.`,
    )
  }
  for await (const feeds of samples) {
    signal?.throwIfAborted()
    yield feeds
  }
}

/** The first sample of a source that is not skipped, and a source that gives it again: one that can be read once only is not read twice. */
export async function peek(
  source: DataSource,
  isSkipped: (feeds: Feeds) => boolean,
  signal?: AbortSignal,
): Promise<{ readonly first: Feeds | undefined; readonly source: DataSource }> {
  const samples = samplesOf(source, signal)
  let { value: first, done } = await samples.next()
  while (!done && isSkipped(first)) ({ value: first, done } = await samples.next())
  const isFresh = typeof source === 'function' || Array.isArray(source)
  if (isFresh || done) {
    await samples.return(undefined)
    return { first: done ? undefined : first, source }
  }
  async function* again(): AsyncGenerator<Feeds> {
    yield first
    yield* samples
  }
  return { first, source: again() }
}

/** `skipped`: batches of size 0 that there were. */
export function emptyDataError(skipped = 0): OctavoError {
  if (skipped > 0) {
    const what = skipped === 1 ? 'one batch of size 0' : `${skipped} batches of size 0`
    return new OctavoError(
      'ERR_CALIBRATION_DATA',
      `'data' gave ${what} and no samples; expected at least one with elements.`,
    )
  }
  return new OctavoError(
    'ERR_CALIBRATION_DATA',
    "'data' gave no samples; expected at least one. An iterator that was used before is at its end: pass a function that returns a new one.",
  )
}

export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'no prototype'})` : typeof value
}

function isIterable(value: unknown): value is Samples {
  if (typeof value !== 'object' || value === null) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value
}
