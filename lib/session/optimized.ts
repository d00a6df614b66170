/** The file of the option optimizedModelFilePath. */
import { writeFileAtomic } from '../files.js'
import type { Model } from '../graph/graph.js'
import { writeModel } from '../onnx/write.js'
import { decompose } from '../ops/registry.js'

export function writeOptimized(path: string, model: Model): Promise<void> {
  return writeFileAtomic(path, writeModel(model, { decompose }), { force: true })
}
