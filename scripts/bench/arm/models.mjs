// The quantized models that are counted: int8 activations, which onnxruntime runs fastest on ARM.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { countWork } from '../macs.mjs'
import { MODELS } from '../models/index.mjs'
import { floatFile, octavoFile } from '../store.mjs'
import { TARGETS } from './cores.mjs'

/** { name, path, dims, macs, hash } of each model; a `folder` holds NAME.float.onnx and NAME.int8.onnx. */
export async function models(names, folder) {
  const unknown = names.filter((name) => !(name in TARGETS))
  if (unknown.length > 0)
    throw new Error(`no model ${unknown.join(', ')}; there are ${Object.keys(TARGETS).join(', ')}`)
  const made = []
  for (const model of MODELS) {
    const { name, cases } = model
    if (!(name in TARGETS) || (names.length > 0 && !names.includes(name))) continue
    const [dims] = Object.values(cases)
    const path = folder ? join(folder, `${name}.int8.onnx`) : await octavoFile(model, 'int8')
    const { macs } = await countWork(folder ? join(folder, `${name}.float.onnx`) : floatFile(model), dims)
    const hash = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
    made.push({ name, path, dims, macs, hash })
  }
  return made
}
