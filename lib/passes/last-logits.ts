/**
 * The last position alone of what a language model gives for each of its tokens, before the product that makes the logits of it:
 *
 *     y (output) = Cast(MatMul(x, w))  =>  l = Slice(x, -1, end); y = Cast(MatMul(l, w))
 *
 * The table of logits of a prompt is as wide as the vocabulary: for 128 tokens it is a quarter of the work of a small model.
 */
import { OctavoError } from '../errors.js'
import type { Graph, Node } from '../graph/graph.js'
import { int64s } from '../graph/tensor.js'

/** Products whose input 0 has positions along its axis 1, which they keep apart. */
const PRODUCTS = new Set(['MatMul', 'MatMulNBits', 'MatMulBnb4'])
/** What computes each element of input 0 by itself, or with a scalar. */
const ELEMENTWISE = new Set(['Cast', 'Identity', 'Tanh'])
const FAR = 2 ** 31 - 1

/** `logits`: an output [batch, positions, vocabulary], which becomes [batch, 1, vocabulary]. */
export function lastLogits(graph: Graph, logits: string): Graph {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  let product = makers.get(logits)
  const between = new Set<string>([logits])
  while (product && ELEMENTWISE.has(product.opType)) {
    const [x = ''] = product.inputs
    between.add(x)
    product = makers.get(x)
  }
  if (!product || !PRODUCTS.has(product.opType) || isReadElsewhere(graph, between)) {
    throw new OctavoError(
      'ERR_UNSUPPORTED_OP',
      `output '${logits}': expected a product by constant weights (${[...PRODUCTS].join(', ')}) to make it, for the option logits: 'last'; got ${product?.opType ?? 'none'}.`,
      { tensor: logits, node: product?.name },
    )
  }
  const [x = '', ...others] = product.inputs
  const last = `${x}:last`
  const numbers = [-1, FAR, 1].map((n) => [`octavo.logits:${n}`, int64s([n])] as const)
  const slice: Node = {
    name: last,
    opType: 'Slice',
    domain: '',
    inputs: [x, ...numbers.map(([name]) => name)],
    outputs: [last],
    attributes: {},
  }
  const cut = { ...product, inputs: [last, ...others] }
  const types = new Map(graph.types)
  for (const name of between) types.delete(name)
  return {
    ...graph,
    nodes: graph.nodes.flatMap((node) => (node === product ? [slice, cut] : [node])),
    constants: new Map([...graph.constants, ...numbers]),
    types,
  }
}

/** Whether more than the next of them reads one of the values between product and output. */
function isReadElsewhere(graph: Graph, between: ReadonlySet<string>): boolean {
  const names = graph.nodes.flatMap((node) => [...node.inputs, ...(node.captures ?? [])])
  const reads = names.filter((name) => between.has(name)).length
  const given = graph.outputs.filter((name) => between.has(name)).length
  return reads !== between.size - 1 || given !== 1
}
