/** Entries of the option `extra`, which onnxruntime names with points: whole names, or an object for each part. */
import { rangeError } from '../errors.js'
import type { BlockActivations } from '../graph/graph.js'

const ACCURACY_LEVEL = 'session.qdq_matmulnbits_accuracy_level'

/** What the accuracy level of products of weights in blocks asks for; undefined where there is none. */
export function blockActivationsOf(options: {
  readonly extra?: Readonly<Record<string, unknown>>
}): BlockActivations | undefined {
  const stated = entry(options.extra, ACCURACY_LEVEL.split('.'))
  if (stated === undefined) return undefined
  const level = Number(stated)
  if (!Number.isInteger(level) || level < 0 || level > 4 || String(stated).trim() === '') {
    throw rangeError(`'extra.${ACCURACY_LEVEL}' should be an integer in [0, 4], got ${String(stated)}.`)
  }
  return level === 4 ? 'block' : 'float'
}

/** `{ 'a.b': 1 }` and `{ a: { b: 1 } }` are the same. */
function entry(from: unknown, parts: readonly string[]): unknown {
  if (typeof from !== 'object' || from === null) return undefined
  for (let i = parts.length; i > 0; i--) {
    const value = (from as Readonly<Record<string, unknown>>)[parts.slice(0, i).join('.')]
    if (value !== undefined) return i === parts.length ? value : entry(value, parts.slice(i))
  }
  return undefined
}
