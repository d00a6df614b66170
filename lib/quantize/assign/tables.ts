/**
 * Tables of embeddings: large constants whose rows nodes pick by index. They are most of a small language model's bytes, and
 * no product: they are kept as int8 for their size, a scale for each row, and the rows that are picked are float.
 */
import { byteLength } from '../../graph/dtype.js'
import { consumersOf, intAttribute, type Node } from '../../graph/graph.js'
import { elementCount } from '../../graph/tensor.js'
import type { Method, Quantization } from '../quantization.js'
import { isStatic } from '../recipe/levels.js'
import type { NodeSettings } from '../recipe/settings.js'

/** What is smaller stays as it is: the nodes that dequantize it cost more than it saves. */
const LEAST_BYTES = 2 ** 16

export const assignTables: Method = (quantization) => ({
  ...quantization,
  tables: findTables(quantization),
})

/** The nodes that pick rows of each table, by the name of the constant. */
function findTables({ graph, fusions, settingsOf }: Quantization): ReadonlyMap<string, readonly Node[]> {
  const consumers = consumersOf(graph)
  const pinned = new Set([...graph.outputs, ...graph.nodes.flatMap(({ captures }) => captures ?? [])])
  const weights = new Map(fusions.integer.map(({ node, weights }) => [node, weights]))
  const tables = new Map<string, readonly Node[]>()
  for (const [name, { dtype, dims }] of graph.constants) {
    if (dtype !== 'float32' || dims.length < 2 || byteLength(dtype, elementCount(dims)) < LEAST_BYTES)
      continue
    if (pinned.has(name)) continue
    const readers = consumers.get(name) ?? []
    const picking = readers.filter(
      (node) => picksRows(node, name) && !settingsOf(node).exclude && isInt8Table(node, settingsOf(node)),
    )
    // One reader that wants floats, and the file would hold the table twice.
    const others = readers.filter((node) => !picking.includes(node) && weights.get(node) !== name)
    if (picking.length > 0 && others.length === 0) tables.set(name, picking)
  }
  return tables
}

/** Whether a table is int8 with a scale for each row, beside products of int8. */
function isInt8Table(node: Node, settings: NodeSettings): boolean {
  return isStatic(settings.activations) || isTableOfDynamic(node, settings)
}

/** Whether a Gather picks rows beside products whose activations are quantized while running. */
export function isTableOfDynamic({ opType }: Node, { weights, activations }: NodeSettings): boolean {
  const int8 = weights.type === 'int8' && weights.granularity !== 'group'
  return opType === 'Gather' && activations.type === 'dynamic' && int8
}

/** Whether a node picks rows of a table. */
export function picksRows(node: Node, table: string): boolean {
  const { domain, opType, inputs } = node
  if (domain !== '' || opType !== 'Gather' || inputs[0] !== table || inputs[1] === table) return false
  return intAttribute(node, 'axis', 0) === 0
}
