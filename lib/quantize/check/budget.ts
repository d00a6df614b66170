/** What products cost: multiplications, by the sizes that the model states. */
import type { Graph, Node } from '../../graph/graph.js'
import { elementsOf } from '../assign/cost.js'
import type { Quantization } from '../quantization.js'
import { changedParts } from './parts.js'

/** Multiplications of every product that the quantization changed. */
export function multiplications(quantization: Quantization): ReadonlyMap<Node, number> {
  const { graph, inference } = quantization
  const costs = new Map<Node, number>()
  for (const { node, rule, weights } of changedParts(quantization)) {
    if (rule.kind === 'recurrent')
      costs.set(node, recurrentCost(graph, elementsOf(inference, node.inputs[0] ?? ''), node))
    if (rule.kind !== 'weighted') continue
    const out = elementsOf(inference, node.outputs[0] ?? '')
    const dims = graph.constants.get(weights ?? '')?.dims
    const axis = dims ? rule.channelAxis(node, dims.length) : -1
    // Weights over output channels; of two activations the size that they share.
    const length = dims
      ? dims.reduce((n, d) => n * d, 1) / (axis >= 0 ? (dims[axis] ?? 1) : 1)
      : elementsOf(inference, node.inputs[0] ?? '') ** 0.5
    costs.set(node, out * Math.max(1, length))
  }
  return costs
}

/** Every element of the sequence meets every gate of every direction. */
function recurrentCost({ constants }: Graph, elements: number, { inputs }: Node): number {
  const [directions = 1, rows = 1] = constants.get(inputs[1] ?? '')?.dims ?? []
  return elements * directions * rows
}
