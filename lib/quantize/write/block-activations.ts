/** What a file says of the activations of products whose weights a DequantizeLinear states; it says one word for all of them. */
import type { BlockActivations } from '../../graph/graph.js'
import type { Quantization } from '../quantization.js'

/** Undefined: runtimes may quantize them while running. */
export function statedActivations(quantization: Quantization): BlockActivations | undefined {
  const types = activationTypes(quantization)
  const wide = [...quantization.valueFormats.values()].some(({ format }) => format.bits > 8)
  // Where 16 bits are asked for, 8 of a block are none.
  return types.has('float') || (wide && types.size === 0) ? 'float' : undefined
}

/** A warning where products were asked to differ. */
export function mixedActivations(quantization: Quantization): readonly string[] {
  if (activationTypes(quantization).size < 2) return []
  return [
    "some products are to take float activations and others int8 ones in blocks: a file says one of them for all DequantizeLinear weights, which is float; file 'nbits' says it of each MatMul and Gemm",
  ]
}

function activationTypes({ weightOnly, settingsOf }: Quantization): ReadonlySet<'float' | 'block'> {
  const stated = [...weightOnly.values()].filter(
    ({ node, form, isSign }) => form.kind === 'dq' && node.opType !== 'Gather' && !isSign,
  )
  return new Set(
    stated.map(({ node }) => (settingsOf(node).activations.type === 'float' ? 'float' : 'block')),
  )
}
