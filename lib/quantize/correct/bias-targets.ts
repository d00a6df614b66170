/** The biases that can take a correction: where they are in the quantized graph, and what they are afterwards. */
import { FORMATS, levelsOf } from '../../graph/format.js'
import { type Graph, usesOf } from '../../graph/graph.js'
import { floatsOf, tensorOf } from '../../graph/tensor.js'
import type { Statistics } from '../../statistics/record.js'
import { momentsOf } from '../../statistics/summary.js'
import { type AddedBias, addedBias } from '../assign/added-bias.js'
import type { Quantization } from '../quantization.js'
import { quantizeBiases } from '../scales/bias.js'
import type { Layer } from '../scales/layer.js'
import type { QdqGraph } from '../write/qdq-graph.js'
import type { BiasTarget, StoredBias } from './bias-target.js'

/** The targets of a quantization that is written, in the order of its layers. */
export function biasTargets(quantization: Quantization, { graph: qdq, biases }: QdqGraph): BiasTarget[] {
  const { graph, inference, layers, collected } = quantization
  const byName = new Map(qdq.nodes.map((n) => [n.name, n]))
  const targets: BiasTarget[] = []
  for (const [fusion, layer] of layers) {
    const added = addedBias(graph, inference, fusion)
    const maker = added?.node ?? fusion.node
    const floatValue = fusion.results[0] ?? ''
    const value = byName.get(maker.name)?.outputs[0]
    const channels = inference.types.get(floatValue)?.shape?.[layer.channelAxis]
    if (value === undefined || typeof channels !== 'number') continue
    const bounds = added ? fusion.fused.slice(1) : fusion.fused
    const step = levelOf(collected.statistics.get(floatValue) ?? {})
    const target = { floatValue, value, bounds, step, channelAxis: layer.channelAxis }
    const constant = biases.get(layer)
    if (constant !== undefined && layer.bias?.length === channels) {
      const reader = qdq.nodes.find((n) => n.inputs[0] === constant)
      targets.push({ ...target, bias: integerBias(layer, layer.bias, constant, reader?.name ?? '') })
    } else if (added) {
      targets.push({ ...target, bias: floatBias(graph, added) })
    }
  }
  return targets
}

/** About one level of what calibration saw. */
function levelOf(statistics: Statistics): number {
  const { min, max } = momentsOf(statistics) ?? { min: 0, max: 0 }
  return Math.fround((max - min) / levelsOf(FORMATS.int8)) || 1
}

function integerBias(
  { accumulatorScales }: Layer,
  bias: Float64Array,
  constant: string,
  reader: string,
): StoredBias {
  const step = (c: number) => accumulatorScales[accumulatorScales.length === 1 ? 0 : c] as number
  const integers = (delta: Float64Array) =>
    quantizeBiases(
      bias.map((b, c) => b + (delta[c] ?? 0)),
      accumulatorScales,
    )
  const before = quantizeBiases(bias, accumulatorScales)
  return {
    constant,
    reader,
    position: 0,
    correctable: (delta) =>
      Float64Array.from(integers(delta), (q, c) => (q - (before[c] as number)) * step(c)),
    corrected: (delta) => tensorOf('int32', [bias.length], integers(delta)),
  }
}

function floatBias(graph: Graph, { node, position }: AddedBias): StoredBias {
  const constant = node.inputs[position] ?? ''
  const tensor = graph.constants.get(constant)
  const values = tensor ? floatsOf(tensor) : new Float32Array(0)
  return {
    constant,
    reader: node.name,
    position,
    correctable: (delta) => delta,
    corrected: (delta) =>
      tensorOf(
        'float32',
        [values.length],
        values.map((b, c) => b + (delta[c] ?? 0)),
      ),
  }
}

/** The graph with its biases corrected. */
export function withCorrections(graph: Graph, corrections: ReadonlyMap<BiasTarget, Float64Array>): Graph {
  const constants = new Map(graph.constants)
  const readers = new Map<string, Map<number, string>>()
  for (const [{ bias }, delta] of corrections) {
    const { constant, reader, position } = bias
    const shared = graph.nodes.filter((n) => usesOf(n).includes(constant)).length > 1
    const name = shared ? `${reader}_bias_corrected` : constant
    constants.set(name, bias.corrected(delta))
    if (shared) readers.set(reader, new Map([[position, name]]))
  }
  const nodes = graph.nodes.map((node) => {
    const renamed = readers.get(node.name)
    return renamed ? { ...node, inputs: node.inputs.map((name, i) => renamed.get(i) ?? name) } : node
  })
  return { ...graph, nodes, constants }
}
