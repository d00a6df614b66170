/** Which value of a quantized model stands for a value of the float one. */
import { consumersOf, type Graph, producersOf } from '../graph/graph.js'
import type { Inference } from '../ops/core/infer.js'

export interface LayerPair {
  /** Name of the value in the float model. */
  readonly name: string
  readonly opType: string
  readonly float: string
  readonly quantized: string
}

/** Float values of both graphs by their names, in the order of the float graph; a quantized one as it is dequantized. */
export function layerPairs(float: Graph, quantized: Graph, info: Inference): LayerPair[] {
  const makers = producersOf(quantized)
  const readers = consumersOf(quantized)
  const dequantized = (name: string): string => {
    const quantizer = readers.get(name)?.find((n) => n.opType === 'QuantizeLinear' && n.inputs[0] === name)
    const reader =
      quantizer && readers.get(quantizer.outputs[0] ?? '')?.find((n) => n.opType === 'DequantizeLinear')
    return reader?.outputs[0] ?? name
  }
  return float.nodes.flatMap((node) =>
    node.outputs.flatMap((name) => {
      const comparable = info.types.get(name)?.dtype === 'float32' && makers.has(name)
      return comparable ? [{ name, opType: node.opType, float: name, quantized: dequantized(name) }] : []
    }),
  )
}
