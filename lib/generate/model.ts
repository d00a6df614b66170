/** Tensors that the loop of `generate` begins with, and what it takes out of a run. */
import { float16ToNumber } from '../graph/float16.js'
import { noLanguageModel } from '../session/language-model.js'
import type { ValueMetadata } from '../session/session.js'
import { Tensor } from '../session/tensor.js'
import { arrayOf } from '../session/tensor-types.js'

/** A past of no tokens: one sequence, other open sizes 0. */
export function emptyPast({ type, shape, name }: ValueMetadata): Tensor {
  const batch = shape.findIndex((size) => typeof size === 'string' && /batch/i.test(size))
  const dims = shape.map((size, i) => {
    if (typeof size === 'number') return size
    return i === Math.max(batch, 0) ? 1 : 0
  })
  const array = arrayOf(type)
  if (!array) throw noLanguageModel('a past of numbers', type, name)
  return new Tensor(type, new array(dims.reduce((n, d) => n * d, 1)), dims)
}

/** The logits after the last token: of [1, vocabulary] or [1, tokens, vocabulary]. */
export function lastLogits(tensor: Tensor): ArrayLike<number> {
  const size = tensor.dims.at(-1) ?? 0
  const data = tensor.data as Exclude<Tensor['data'], string[]>
  const last = data.subarray(data.length - size)
  if (size === 0 || data.length === 0)
    throw noLanguageModel('logits of [1, tokens, vocabulary]', `[${tensor.dims.join(', ')}]`)
  if (tensor.type === 'float16' && last instanceof Uint16Array) return Array.from(last, float16ToNumber)
  return last as unknown as ArrayLike<number>
}
