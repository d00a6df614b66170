/**
 * A quantized model cut at its quantized tensors: each of them is an input (what its readers get) and an output (what its
 * QuantizeLinear makes), so one run of the cut model runs every layer on given inputs.
 */

import { isQuantized8 } from '../../lib/graph/dtype.js'
import { type Graph, type Node, producersOf, type TensorType } from '../../lib/graph/graph.js'

export interface CutModel {
  readonly graph: Graph
  /** Quantized tensors, by their names in the model; the input that stands for `q` is `fedName(q)`. */
  readonly tensors: readonly string[]
}

export const fedName = (q: string): string => `${q}:fed`

/** Activations that a QuantizeLinear makes. */
export function quantizedTensors(graph: Graph): string[] {
  return graph.nodes.flatMap((n) => (n.opType === 'QuantizeLinear' ? [n.outputs[0] as string] : []))
}

/** `types`: dtype and sizes of the quantized tensors, as a run gave them. */
export function cutModel(graph: Graph, types: ReadonlyMap<string, TensorType>): CutModel {
  const tensors = quantizedTensors(graph).filter((q) => isQuantized8(types.get(q)?.dtype ?? 'float32'))
  const cut = new Set(tensors)
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (cut.has(name) ? fedName(name) : name)),
  }))
  const known = new Map<string, TensorType>()
  for (const name of graph.inputs) known.set(name, types.get(name) as TensorType)
  for (const q of tensors) {
    known.set(fedName(q), types.get(q) as TensorType)
    known.set(q, types.get(q) as TensorType)
  }
  const inputs = [...graph.inputs, ...tensors.map(fedName)]
  return { graph: { ...graph, nodes, inputs, outputs: tensors, types: known }, tensors }
}

/** The operator that a quantized tensor is the result of: what its QuantizeLinear reads, through activations. */
export function operatorOf(graph: Graph, q: string): Node | undefined {
  const producers = producersOf(graph)
  const quantizer = producers.get(q)
  return quantizer && producers.get(quantizer.inputs[0] as string)
}
