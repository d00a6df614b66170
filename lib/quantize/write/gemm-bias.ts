/** The bias of a Gemm beside a product that multiplies only: a constant vector where it is one, else an Add after it. */
import { floatAttribute, type Graph, type Node } from '../../graph/graph.js'
import { elementCount, floatsOf, tensorOf } from '../../graph/tensor.js'
import type { ConstantPool } from './constant-pool.js'
import type { QdqNodes } from './nodes.js'

/** A constant with one number for each of n channels, times beta. */
export function constantBias(graph: Graph, pool: ConstantPool, node: Node, n: number): string | undefined {
  const tensor = graph.constants.get(node.inputs[2] ?? '')
  if (tensor?.dtype !== 'float32' || elementCount(tensor.dims) !== n || tensor.dims.at(-1) !== n)
    return undefined
  const beta = floatAttribute(node, 'beta', 1)
  const values = floatsOf(tensor).map((v) => v * beta)
  return pool.share('b', tensorOf('float32', [n], values))
}

/** `y = product + beta * c`. */
export function addBias(nodes: QdqNodes, pool: ConstantPool, node: Node, product: string): void {
  const [, , c = ''] = node.inputs
  const beta = floatAttribute(node, 'beta', 1)
  let term = c
  if (beta !== 1) {
    term = nodes.fresh('b')
    const factor = pool.share('k', tensorOf('float32', [], Float32Array.of(beta)))
    nodes.add(term, 'Mul', [c, factor], term)
  }
  nodes.add(nodes.fresh('a'), 'Add', [product, term], node.outputs[0] as string)
}
