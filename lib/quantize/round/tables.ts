/** Tables of embeddings as int8: a scale for each row, or for each block of a row where one would be too coarse. */
import type { Pace } from '../../event-loop.js'
import { FORMATS } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { elementCount, floatsOf, tensorOf } from '../../graph/tensor.js'
import type { Method, Quantization } from '../quantization.js'
import { symmetricZeroPoint } from '../scales/affine.js'
import { weightScales, weightsOf } from '../scales/weight-scales.js'
import { nearestLevels } from './nearest.js'
import type { Table } from './table.js'

/** A block of this size costs an eighth more than its levels. */
const BLOCK = 32
/** What rounding may take of a row on average, as a part of the row's energy: 35 dB. */
const MOST_NOISE = 10 ** -3.5

export const roundTables: Method = async (quantization) => {
  const { graph, tables, fusions, layers, storedTables, pace, signal } = quantization
  const tied = new Set([...layers.values()].map(({ weights }) => weights))
  const stored = new Map<string, Table>()
  const float = new Map(fusions.float)
  for (const [name, readers] of tables) {
    const constant = graph.constants.get(name) as ConstantTensor
    // Of what no product shares, another assignment changes nothing.
    const known = tied.has(name) ? undefined : storedTables.get(name)
    const table =
      known ??
      (await tiedTable(quantization, name, constant)) ??
      (await tableOf(name, constant, pace, signal))
    if (table) stored.set(name, table)
    else for (const { name } of readers) float.set(name, 'rows of its table are too uneven for int8')
  }
  return { ...quantization, storedTables: stored, fusions: { ...fusions, float } }
}

/** A table that is the weights of a product too has their levels, so that the file holds it once. */
async function tiedTable(
  { layers, levels, pace }: Quantization,
  name: string,
  tensor: ConstantTensor,
): Promise<Table | undefined> {
  const { dims } = tensor
  const [rows, columns = 0] = dims
  for (const layer of layers.values()) {
    const { weights, axis, scales, format, alpha } = layer
    const rounded = levels.get(layer)
    if (weights !== name || dims.length !== 2 || axis !== 0 || scales.length !== rows || !rounded) continue
    if (format.storage !== 'int8' || symmetricZeroPoint(format) !== 0 || alpha !== 1) continue
    const table = { dims, levels: rounded, block: columns, scales }
    if ((await noiseOf(table, floatsOf(tensor), pace)) <= MOST_NOISE) return table
  }
  return undefined
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
