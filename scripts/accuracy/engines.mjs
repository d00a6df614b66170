// The two engines with one interface: open(model) gives the name of the input, run(dims, data) and release().
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as octavo from '../../dist/index.js'

export const octavoEngine = {
  name: 'Octavo',
  version: octavo.version,
  open: (model) => open(octavo, model, {}),
}

/** onnxruntime-node from node_modules, or from the folder OCTAVO_ORT; undefined: not there. */
export function onnxruntimeEngine() {
  for (const folder of [new URL('../..', import.meta.url).pathname, process.env.OCTAVO_ORT]) {
    if (!folder) continue
    try {
      const ort = createRequire(join(folder, 'index.js'))('onnxruntime-node')
      return {
        name: 'onnxruntime-node',
        version: ort.env.versions.node,
        open: (model) => open(ort, model, { logSeverityLevel: 3, intraOpNumThreads: 2 }),
      }
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  return undefined
}

async function open({ InferenceSession, Tensor }, model, options) {
  const session = await InferenceSession.create(model, options)
  const [input] = session.inputNames
  const [output] = session.outputNames
  return {
    input,
    async run({ dims, data }) {
      const results = await session.run({ [input]: new Tensor('float32', data, dims) })
      return results[output]
    },
    release: () => session.release(),
  }
}
