/** Tables of embeddings as int8: a scale for each row, or for each block of a row where one would be too coarse. */
import type { Pace } from '../../event-loop.js'
import { FORMATS } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { elementCount, floatsOf, tensorOf } from '../../graph/tensor.js'
import type { Method } from '../quantization.js'
import { weightScales, weightsOf } from '../scales/weight-scales.js'
import { nearestLevels } from './nearest.js'
import type { Table } from './table.js'

/** A block of this size costs an eighth more than its levels. */
const BLOCK = 32
/** What rounding may take of a row on average, as a part of the row's energy: 35 dB. */
const MOST_NOISE = 10 ** -3.5

export const roundTables: Method = async (quantization) => {
  const { graph, tables, fusions, pace, signal } = quantization
  const stored = new Map<string, Table>()
  const float = new Map(fusions.float)
  for (const [name, readers] of tables) {
    const table = await tableOf(name, graph.constants.get(name) as ConstantTensor, pace, signal)
    if (table) stored.set(name, table)
    for (const node of readers) {
      if (table) float.delete(node.name)
      else float.set(node.name, 'rows of its table are too uneven for int8')
    }
  }
  return { ...quantization, storedTables: stored, fusions: { ...fusions, float } }
}

/** undefined: in 8 bits it would lose more than it may. */
async function tableOf(
  name: string,
  tensor: ConstantTensor,
  pace: Pace,
  signal: AbortSignal | undefined,
): Promise<Table | undefined> {
  const { dims } = tensor
  const columns = dims.at(-1) as number
  const blocks = columns > BLOCK && columns % BLOCK === 0 ? [columns, BLOCK] : [columns]
  for (const block of blocks) {
    const rows = tensorOf('float32', [elementCount(dims) / block, block], floatsOf(tensor))
    const weights = weightsOf(rows, 0)
    const scales = await weightScales(weights, 'minmax', FORMATS.int8, name, signal)
    const levels = await nearestLevels(weights, scales, FORMATS.int8, signal)
    const table = { dims, levels, block, scales }
    if ((await noiseOf(table, floatsOf(tensor), pace)) <= MOST_NOISE) return table
  }
  return undefined
}

/** The mean over all rows of the error's energy as a part of the row's; rows of zeros have no error. */
async function noiseOf(
  { dims, levels, block, scales }: Table,
  real: Float32Array,
  pace: Pace,
): Promise<number> {
  const columns = dims.at(-1) as number
  const rows = levels.length / columns
  const signed = new Int8Array(levels.buffer, levels.byteOffset, levels.length)
  let sum = 0
  for (let row = 0; row < rows; row++) {
    if (row % 64 === 0) await pace.breathe()
    let [energy, error] = [0, 0]
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const x = real[i] as number
      const e = x - (signed[i] as number) * (scales[Math.floor(i / block)] as number)
      energy += x * x
      error += e * e
    }
    if (energy > 0) sum += error / energy
  }
  return rows === 0 ? 0 : sum / rows
}
