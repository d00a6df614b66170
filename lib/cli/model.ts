/** What a model file says about its inputs, without compiling it. */
import type { TargetInput } from '../data/source.js'
import { formatDim } from '../graph/expr.js'
import { readModel } from '../onnx/index.js'

export async function modelInputs(path: string, signal: AbortSignal): Promise<TargetInput[]> {
  const { graph } = await readModel(path, { signal })
  return graph.inputs.map((name) => {
    const type = graph.types.get(name)
    const shape = (type?.shape ?? []).map((d) => (typeof d === 'number' ? d : formatDim(d)))
    return { name, type: type?.dtype ?? 'float32', shape }
  })
}
