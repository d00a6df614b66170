/** What the QuantizeLinear after a product takes in, in Octavo and in onnxruntime: bounds, and a bias. */
import type { Graph, Node } from '../../graph/graph.js'
import type { Inference } from '../../ops/core/infer.js'

/** Relu, or Clip with constant bounds, applied to `value`. */
export function isClamp(graph: Graph, node: Node, value: string): boolean {
  if (node.domain !== '' || node.inputs[0] !== value) return false
  if (node.opType === 'Relu') return true
  if (node.opType !== 'Clip') return false
  return node.inputs.slice(1).every((bound) => bound === '' || graph.constants.has(bound))
}

/** The position of the tensor in a sum, difference or product of one tensor and one number; -1 where it is something else. */
export function scaledOperand(graph: Graph, info: Inference, node: Node): number {
  if (node.domain !== '' || !['Add', 'Sub', 'Mul'].includes(node.opType)) return -1
  const isNumber = (name: string | undefined) => {
    const constant = graph.constants.get(name ?? '')
    return constant?.dtype === 'float32' && constant.dims.every((d) => d === 1)
  }
  const rank = (name: string | undefined) => info.types.get(name ?? '')?.shape?.length
  const position = [0, 1].find(
    (i) => isNumber(node.inputs[1 - i]) && !graph.constants.has(node.inputs[i] ?? ''),
  )
  if (position === undefined) return -1
  return rank(node.inputs[position]) === rank(node.outputs[0]) ? position : -1
}

/** What a node divides by one number; undefined where it does something else. After a product that is part of its requantization. */
export function dividedOperand({ constants }: Graph, { domain, opType, inputs }: Node): string | undefined {
  const divisor = constants.get(inputs[1] ?? '')
  const isNumber = divisor?.dtype === 'float32' && divisor.dims.every((d) => d === 1)
  return domain === '' && opType === 'Div' && isNumber ? inputs[0] : undefined
}

/** The position of the constant vector that an Add adds to every row of `value`; -1 where it does something else. */
export function biasOperand(graph: Graph, info: Inference, node: Node, value: string): number {
  if (node.domain !== '' || node.opType !== 'Add' || node.inputs[0] === node.inputs[1]) return -1
  const position = node.inputs[0] === value ? 1 : node.inputs[1] === value ? 0 : -1
  const bias = graph.constants.get(node.inputs[position] ?? '')
  const columns = info.types.get(value)?.shape?.at(-1)
  const vector = bias?.dims.length === 1 && bias.dims[0] === columns
  return bias?.dtype === 'float32' && vector ? position : -1
}

export function isBiasAdd(graph: Graph, info: Inference, node: Node, value: string): boolean {
  return biasOperand(graph, info, node, value) >= 0
}
