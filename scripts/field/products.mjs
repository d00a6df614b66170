// Products of a quantized file: convolutions, matrix products, recurrent layers, in bodies of If and Loop as well.
import { decodeModel } from '../../dist/onnx/proto.js'

const PRODUCTS = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM', 'GRU', 'RNN'])

/** Names of the products of a graph of the file, those of its bodies included. */
function namesOf({ node }) {
  return node.flatMap(({ name, opType, attribute }) => [
    ...(PRODUCTS.has(opType) ? [name] : []),
    ...attribute.flatMap(({ g, graphs }) => [...(g ? [g] : []), ...(graphs ?? [])].flatMap(namesOf)),
  ])
}

/**
 * { integer, float: [{ node, reason }] }: each product of the file that is computed, by what explain says of its steps; the reason is
 * the report's where it has one.
 */
export function products(file, nodes, report) {
  const names = new Set(namesOf(decodeModel(file, 'the quantized file').graph))
  const reasons = new Map(report.float.map(({ node, reason }) => [node, reason]))
  return countProducts(names, nodes, reasons)
}

export function countProducts(names, nodes, reasons) {
  const found = new Map()
  for (const { node, kind, reason } of nodes) {
    if (!names.has(node) || (kind !== 'integer' && kind !== 'float')) continue
    // A node of several steps is integer where one of them is.
    if (found.get(node)?.isInteger) continue
    found.set(node, { isInteger: kind === 'integer', reason: reasons.get(node) ?? reason ?? '' })
  }
  const float = [...found].filter(([, p]) => !p.isInteger)
  return { integer: found.size - float.length, float: float.map(([node, { reason }]) => ({ node, reason })) }
}
