/** Bias corrections on the graph: which biases can take one, and what they are afterwards. */
import type { Collected } from '../calibrate/collect.js'
import type { ConstantTensor, Graph, Node } from '../graph/graph.js'
import { floatsOf } from '../graph/tensor.js'
import type { Inference } from '../ops/core/infer.js'
import type { Target } from './bias-correction.js'
import { biasIntegers, type Inserted } from './insert.js'
import { addedBias, type Product } from './products.js'
import type { Unit } from './units.js'

/** A target that knows where its bias is stored. */
interface StoredTarget extends Target {
  /** The node and input that read the bias; the constant is replaced under a new name if others read it too. */
  readonly constant: string
  readonly reader: string
  readonly position: number
  corrected(delta: Float64Array): ConstantTensor
}

export function correctionTargets(
  graph: Graph,
  info: Inference,
  inserted: Inserted,
  products: ReadonlyMap<Unit, Product>,
  { statistics }: Collected,
): StoredTarget[] {
  const byName = new Map(inserted.graph.nodes.map((n) => [n.name, n]))
  const targets: StoredTarget[] = []
  for (const [unit, product] of products) {
    const added = addedBias(graph, info, unit)
    const maker = added?.node ?? unit.node
    const floatValue = unit.results[0] ?? ''
    const value = byName.get(maker.name)?.outputs[0]
    const channels = statistics.get(floatValue)?.channelSums.length ?? 0
    if (value === undefined || channels === 0) continue
    const bounds = added ? unit.absorbed.slice(1) : unit.absorbed
    const base = { floatValue, value, bounds, channelAxis: product.channelAxis }
    const integer = inserted.biases.get(product)
    if (integer !== undefined && product.bias?.length === channels) {
      targets.push({ ...base, ...integerBias(product, product.bias, integer, byName) })
    } else if (added) {
      targets.push({ ...base, ...floatBias(graph, added.node, added.position) })
    }
  }
  return targets
}

type BiasPart = Omit<StoredTarget, 'floatValue' | 'value' | 'bounds' | 'channelAxis'>

function integerBias(
  { units }: Product,
  bias: Float64Array,
  constant: string,
  byName: ReadonlyMap<string, Node>,
): BiasPart {
  const unit = (c: number) => units[units.length === 1 ? 0 : c] as number
  const integers = (delta: Float64Array) =>
    biasIntegers(
      bias.map((b, c) => b + (delta[c] ?? 0)),
      units,
    )
  const before = biasIntegers(bias, units)
  const reader = [...byName.values()].find((n) => n.inputs[0] === constant)
  return {
    constant,
    reader: reader?.name ?? '',
    position: 0,
    correctable: (delta) =>
      Float64Array.from(integers(delta), (q, c) => (q - (before[c] as number)) * unit(c)),
    corrected: (delta) => ({ dtype: 'int32', dims: [bias.length], data: bytesOf(integers(delta)) }),
  }
}

function floatBias(graph: Graph, node: Node, position: number): BiasPart {
  const constant = node.inputs[position] ?? ''
  const tensor = graph.constants.get(constant)
  const values = tensor ? floatsOf(tensor) : new Float32Array(0)
  return {
    constant,
    reader: node.name,
    position,
    correctable: (delta) => delta,
    corrected: (delta) => ({
      dtype: 'float32',
      dims: [values.length],
      data: bytesOf(values.map((b, c) => b + (delta[c] ?? 0))),
    }),
  }
}

/** The graph with its biases corrected. */
export function withCorrections(graph: Graph, corrections: ReadonlyMap<Target, Float64Array>): Graph {
  const constants = new Map(graph.constants)
  const readers = new Map<string, Map<number, string>>()
  for (const [target, delta] of corrections) {
    const { constant, reader, position, corrected } = target as StoredTarget
    const shared = graph.nodes.filter((n) => n.inputs.includes(constant)).length > 1
    const name = shared ? `${reader}_bias_corrected` : constant
    constants.set(name, corrected(delta))
    if (shared) readers.set(reader, new Map([[position, name]]))
  }
  const nodes = graph.nodes.map((node) => {
    const renamed = readers.get(node.name)
    return renamed ? { ...node, inputs: node.inputs.map((name, i) => renamed.get(i) ?? name) } : node
  })
  return { ...graph, nodes, constants }
}

function bytesOf(values: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength)
}
