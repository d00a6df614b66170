/** What a quantization gained: products in integers, and bytes. Nothing gained is an error, more bytes a warning. */
import { OctavoError } from '../errors.js'
import type { Node } from '../graph/graph.js'
import { findOp } from '../ops/registry.js'
import { isProduct } from './assign/fusions.js'
import type { Quantization } from './quantization.js'

export interface Products {
  /** Those whose weights are integers in the file, while their activations are float there. */
  readonly weightOnly: readonly Node[]
  readonly integer: readonly Node[]
  readonly float: readonly Node[]
}

/** The products of the model: what quantization is for. */
export function productsOf({ graph, fusions, weightOnly }: Quantization): Products {
  const known = new Set(fusions.integer.filter(isProduct).map(({ node }) => node))
  const running = (node: Node) => {
    const chosen = weightOnly.get(node.name)
    return chosen?.form.kind === 'dynamic' || chosen?.isSign === true
  }
  const integer = graph.nodes.filter((node) => known.has(node) || running(node))
  const float = graph.nodes.filter(
    (node) => canBeProduct(node) && !known.has(node) && fusions.float.has(node.name),
  )
  const only = graph.nodes.filter((node) => canBeProduct(node) && weightOnly.has(node.name) && !running(node))
  return { integer, float, weightOnly: only }
}

function canBeProduct({ domain, opType }: Node): boolean {
  const rule = findOp(domain, opType)?.quantize
  return rule !== undefined && isProduct({ rule })
}

/** Throws ERR_NOTHING_QUANTIZED where no product computes in integers and no table is stored in them, with the reason. */
export function requireGain(quantization: Quantization): void {
  const { integer, float } = productsOf(quantization)
  if (integer.length > 0 || quantization.tables.size > 0 || quantization.weightOnly.size > 0) return
  const [first] = float
  const reason = first && quantization.fusions.float.get(first.name)
  const why = first
    ? `all ${float.length} of its products (Conv, ConvTranspose, Gemm, MatMul, LSTM, GRU, RNN) stay in float; '${first.name}' (${first.opType}) ${reason}`
    : 'it has no product (Conv, ConvTranspose, Gemm, MatMul, LSTM, GRU, RNN), and nothing else gains by integers'
  throw new OctavoError(
    'ERR_NOTHING_QUANTIZED',
    `Nothing of the model was quantized: ${why}. Use the float model as it is, or have the file written in any case with the option 'force' (--force).`,
    first ? { node: first.name, opType: first.opType } : {},
  )
}
