/**
 * Weights that a float model's file states as integers, to be small: DequantizeLinear of constants. They become floats
 * before anything looks at the graph, and the scales are remembered: weights that are rounded already keep their levels.
 */
import { FORMATS, type QuantizedDType } from '../../graph/format.js'
import { type ConstantTensor, type Graph, intAttribute, type Node } from '../../graph/graph.js'
import { elementCount, floatsOf, numbersOf, tensorOf } from '../../graph/tensor.js'

/** Fewer bits, and int8 would make the file larger and the weights worse. */
const STORED = new Set(['int8', 'uint8', 'int16', 'uint16', 'int32'])

/** True for a DequantizeLinear of constants of 8 bits or more, with one scale or one per index of an axis. */
export function isStoredWeight({ constants }: Graph, node: Node): boolean {
  const { opType, inputs } = node
  if (opType !== 'DequantizeLinear' || intAttribute(node, 'block_size', 0) !== 0) return false
  const [x, scale] = inputs.map((name) => constants.get(name))
  const present = inputs.every((name) => name === '' || constants.has(name))
  return (
    present && x !== undefined && STORED.has(x.dtype) && scale?.dtype === 'float32' && scale.dims.length <= 1
  )
}

/** The graph with its stored weights as float constants. */
export function withFloatWeights(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  const nodes = graph.nodes.filter((node) => {
    const [name = ''] = node.outputs
    if (!isStoredWeight(graph, node) || graph.outputs.includes(name)) return true
    constants.set(name, dequantized(graph, node))
    return false
  })
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes, constants }
}

function dequantized({ constants }: Graph, node: Node): ConstantTensor {
  const [x, scale, zero] = node.inputs.map((name) => constants.get(name)) as [
    ConstantTensor,
    ConstantTensor,
    ConstantTensor?,
  ]
  const { dims } = x
  const scales = floatsOf(scale)
  const zeros = zero ? numbersOf(zero) : new Float64Array(scales.length)
  const axis = (intAttribute(node, 'axis', 1) + dims.length) % Math.max(1, dims.length)
  const inner = elementCount(dims.slice(axis + 1))
  const real = Float32Array.from(numbersOf(x), (q, i) => {
    const c = scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length
    return (q - (zeros[c] as number)) * (scales[c] as number)
  })
  return tensorOf('float32', dims, real)
}

/** The scales by which a graph multiplies constants of 8 bits: of DequantizeLinear, or of a Cast and Mul that spell it out. */
export function storedScales(graph: Graph): readonly Float32Array[] {
  const casts = new Set<string>()
  const found: Float32Array[] = []
  const isInteger = (name = '') => {
    const dtype = graph.constants.get(name)?.dtype
    return dtype !== undefined && FORMATS[dtype as QuantizedDType]?.bits === 8
  }
  for (const node of graph.nodes) {
    const [a = '', b = ''] = node.inputs
    const [out = ''] = node.outputs
    if (node.opType === 'Cast' && isInteger(a)) casts.add(out)
    // Zero points are taken off before the scale.
    else if (node.opType === 'Sub' && casts.has(a)) casts.add(out)
    else if (node.opType === 'DequantizeLinear' && isInteger(a)) add(graph.constants.get(b))
    else if (node.opType === 'Mul' && casts.has(a)) add(graph.constants.get(b))
    else if (node.opType === 'Mul' && casts.has(b)) add(graph.constants.get(a))
  }
  return found

  function add(scale: ConstantTensor | undefined): void {
    if (scale?.dtype === 'float32') found.push(floatsOf(scale))
  }
}
