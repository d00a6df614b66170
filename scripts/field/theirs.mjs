// What onnxruntime's quantizer makes of a model and its inputs does not hang on Octavo: it is measured once, and kept in .cache/field.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE } from './fetch.mjs'
import { fromJson, toJson } from './json.mjs'

/** What decides the result: the model, all inputs, the quantizer. */
export function keyOf(model, samples, quantizer) {
  const hash = createHash('sha256').update(model).update(quantizer)
  for (const feeds of samples)
    for (const [name, { type, dims, data }] of Object.entries(feeds)) {
      hash.update(JSON.stringify([name, type, dims]))
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  return hash.digest('hex').slice(0, 32)
}

/** The kept result of a key, else what `measure` gives, which is kept then. */
export async function remembered(name, key, measure, cache = CACHE) {
  const file = join(cache, 'theirs', `${name}-${key}.json`)
  if (existsSync(file)) return fromJson(readFileSync(file, 'utf8'))
  const found = await measure()
  mkdirSync(join(cache, 'theirs'), { recursive: true })
  writeFileSync(`${file}.${process.pid}`, toJson(found))
  renameSync(`${file}.${process.pid}`, file)
  return found
}
