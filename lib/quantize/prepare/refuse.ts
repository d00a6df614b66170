/**
 * A model that is quantized already is not quantized again: what its float values were is lost. One that states only its
 * weights as integers, and computes floats, is a float model in a small file.
 */
import { OctavoError } from '../../errors.js'
import type { Graph, Node } from '../../graph/graph.js'
import { isStoredWeight } from './stored-weights.js'

const QUANTIZED =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantize\w*|QLinear\w*|Q(Gemm|Attention)|\w+Integer|MatMulIntegerToFloat|MatMulNBits|GatherBlockQuantized)$/

/** Throws ERR_ALREADY_QUANTIZED, naming what was found, owned graphs included. */
export function refuseQuantized(graph: Graph): void {
  const found: Node[] = []
  const pending = [graph]
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const node of next.nodes) {
      if (QUANTIZED.test(node.opType) && !isStoredWeight(next, node)) found.push(node)
      for (const attribute of Object.values(node.attributes)) {
        if (attribute.kind === 'graph') pending.push(attribute.value)
      }
    }
  }
  const first = found[0]
  if (!first) return
  const more = found.length > 1 ? ` and ${found.length - 1} more` : ''
  throw new OctavoError(
    'ERR_ALREADY_QUANTIZED',
    `The model is quantized already: node '${first.name}' (${first.opType})${more}. Quantizing it again would only add error; start from the float model.`,
    { node: first.name, opType: first.opType },
  )
}
