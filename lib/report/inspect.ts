/** inspect(): what is in a model file, without running it. */
import { stat } from 'node:fs/promises'
import { Pace } from '../event-loop.js'
import type { DType } from '../graph/dtype.js'
import { formatDim } from '../graph/expr.js'
import type { Graph, Node } from '../graph/graph.js'
import { elementCount, numbersOf } from '../graph/tensor.js'
import { type ReadOptions, readModel } from '../onnx/index.js'
import { type InspectedWeights, inspectWeights } from './weights.js'

/** Options of `inspect`. */
export interface InspectOptions {
  /** Files of external data, where `model` is bytes or they are not in its folder. */
  readonly externalData?: ReadOptions['externalData']
  /** Aborting it stops the work; `inspect` then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** An input or output of a model. */
export interface InspectedValue {
  /** Its name in the model. */
  readonly name: string
  /** Element type; undefined where the model does not say it. */
  readonly type: DType | undefined
  /** Sizes, outermost first, symbols as text; undefined where the model does not say the rank. */
  readonly shape: readonly (number | string)[] | undefined
}

/** A QuantizeLinear of the model with one scale: what it makes of a tensor. */
export interface InspectedQuantization {
  /** Name of the tensor that it quantizes. */
  readonly name: string
  /** Type of the integers. */
  readonly type: DType
  /** What one step of the integers is worth. */
  readonly scale: number
  /** The integer that stands for 0. */
  readonly zeroPoint: number
  /** The smallest real number that the integers can hold. */
  readonly min: number
  /** The largest real number that the integers can hold. */
  readonly max: number
}

/** What `inspect` found in a file. Nodes are counted as Octavo reads them: functions written out, in the form of opset 21. */
export interface Inspection {
  /** Bytes of the file, external data excluded. */
  readonly bytes: number
  /** Opset of ai.onnx that the file imports; 21 where it imports none. */
  readonly opset: number
  /** Version of the ONNX file format. */
  readonly irVersion: number
  /** The program that wrote the file, `''` where the file does not say it. */
  readonly producer: string
  /** The file's own metadata, keys and texts. */
  readonly metadata: Readonly<Record<string, string>>
  /** What the model takes, in its order. */
  readonly inputs: readonly InspectedValue[]
  /** What the model gives, in its order. */
  readonly outputs: readonly InspectedValue[]
  /** Nodes by operator, most frequent first; those of other domains as `domain.Operator`; graphs of If and Loop included. */
  readonly operators: Readonly<Record<string, number>>
  /** Number of nodes, graphs of If and Loop included. */
  readonly nodes: number
  /** Elements of all constants. */
  readonly parameters: number
  /** Bytes of all constants, as they are stored. */
  readonly parameterBytes: number
  /** Float and quantized weights of the main graph, with their scales. */
  readonly weights: readonly InspectedWeights[]
  /** The quantized tensors of the main graph, one for each QuantizeLinear with one constant scale. */
  readonly quantized: readonly InspectedQuantization[]
}

export async function inspect(model: string | Uint8Array, options: InspectOptions = {}): Promise<Inspection> {
  const { externalData, signal } = options
  const { graph, opset, irVersion, producer, metadata } = await readModel(model, { externalData, signal })
  const all = graphsIn(graph)
  const constants = all.flatMap((g) => [...g.constants.values()])
  return {
    bytes: typeof model === 'string' ? (await stat(model)).size : model.byteLength,
    opset,
    irVersion,
    producer,
    metadata,
    inputs: graph.inputs.map((name) => describeValue(graph, name)),
    outputs: graph.outputs.map((name) => describeValue(graph, name)),
    operators: countOperators(all),
    nodes: all.reduce((n, g) => n + g.nodes.length, 0),
    parameters: constants.reduce((n, t) => n + elementCount(t.dims), 0),
    parameterBytes: constants.reduce((n, t) => n + t.data.byteLength, 0),
    weights: await inspectWeights(graph, new Pace(signal)),
    quantized: graph.nodes.flatMap((n) => quantizationOf(graph, n)),
  }
}

function graphsIn(graph: Graph): Graph[] {
  const found: Graph[] = []
  const pending = [graph]
  for (let next = pending.pop(); next; next = pending.pop()) {
    found.push(next)
    for (const node of next.nodes) {
      for (const attribute of Object.values(node.attributes)) {
        if (attribute.kind === 'graph') pending.push(attribute.value)
      }
    }
  }
  return found
}

function describeValue(graph: Graph, name: string): InspectedValue {
  const type = graph.types.get(name)
  const shape = type?.shape?.map((d) => (typeof d === 'number' ? d : formatDim(d)))
  return { name, type: type?.dtype, shape }
}

function countOperators(graphs: readonly Graph[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { opType, domain } of graphs.flatMap((g) => g.nodes)) {
    const name = domain === '' ? opType : `${domain}.${opType}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return Object.fromEntries([...counts].sort(([p, m], [q, n]) => n - m || (p < q ? -1 : 1)))
}

/** A QuantizeLinear with constant parameters, one for the tensor. */
function quantizationOf(graph: Graph, node: Node): InspectedQuantization[] {
  if (node.opType !== 'QuantizeLinear' || node.domain !== '') return []
  const [name = '', scaleName = '', zeroName = ''] = node.inputs
  const [scales, zeros] = [graph.constants.get(scaleName), graph.constants.get(zeroName)]
  if (!scales || elementCount(scales.dims) !== 1) return []
  const scale = numbersOf(scales)[0] as number
  const zeroPoint = zeros ? (numbersOf(zeros)[0] as number) : 0
  const type = zeros?.dtype ?? 'uint8'
  const signed = type.startsWith('int')
  const bits = Number.parseInt(type.replace(/\D/g, ''), 10)
  const [low, high] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
  return [{ name, type, scale, zeroPoint, min: (low - zeroPoint) * scale, max: (high - zeroPoint) * scale }]
}
