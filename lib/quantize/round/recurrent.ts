/** The weights of recurrent layers as integers: a scale for each row, which is a gate of a hidden unit, of each direction. */
import type { ConstantTensor } from '../../graph/graph.js'
import { elementCount, floatsOf, tensorOf } from '../../graph/tensor.js'
import type { Fusion } from '../assign/fusions.js'
import type { Method, Quantization } from '../quantization.js'
import { weightFormat } from '../recipe/levels.js'
import { scalesOfLevels } from '../scales/stored-scales.js'
import { weightScales, weightsOf } from '../scales/weight-scales.js'
import { nearestLevels } from './nearest.js'
import type { RecurrentWeights } from './recurrent-weights.js'

export const roundRecurrent: Method = async (quantization) => {
  const recurrent = new Map<string, readonly RecurrentWeights[]>()
  for (const fusion of quantization.fusions.integer) {
    if (fusion.rule.kind !== 'recurrent') continue
    const { name } = fusion.node
    // Nothing that another assignment changes has a say in them.
    const list = [...(quantization.recurrent.get(name) ?? [])]
    for (const position of list.length > 0 ? [] : fusion.rule.weights)
      list.push(await rounded(quantization, fusion, position))
    recurrent.set(name, list)
  }
  return { ...quantization, recurrent }
}

async function rounded(
  { graph, settingsOf, storedScales, signal }: Quantization,
  { node }: Fusion,
  position: number,
): Promise<RecurrentWeights> {
  const name = node.inputs[position] ?? ''
  const tensor = graph.constants.get(name) as ConstantTensor
  const { dims } = tensor
  const settings = settingsOf(node).weights
  // The kernels of recurrent steps have no weights below 8 bits.
  const eight = settings.type === 'int8' || settings.type === 'uint8'
  const format = weightFormat(eight ? settings : { type: 'int8', levels: 'narrow' })
  const columns = dims.at(-1) as number
  const rows = columns === 0 ? 0 : elementCount(dims) / columns
  const matrix = tensorOf('float32', [rows, columns], floatsOf(tensor))
  const weights = weightsOf(matrix, settings.granularity === 'tensor' ? undefined : 0)
  const scales =
    scalesOfLevels(weights, format, storedScales) ??
    (await weightScales(weights, settings.range, format, name, signal))
  const levels = await nearestLevels(weights, scales, format, signal)
  return { name, position, dims, format, scales, levels, perRow: weights.axis !== undefined }
}
