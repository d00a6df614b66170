/**
 * The float graph and the quantized one as one graph, with what compares them value by value: one run of a sample shows all
 * errors, and nothing of it is kept.
 */
import type { ConstantTensor, Graph, Node } from '../../graph/graph.js'
import type { Observation } from '../../statistics/observation.js'
import type { QdqGraph } from '../write/qdq-graph.js'

export interface Joint {
  readonly graph: Graph
  /** Moments of the error of every compared value. */
  readonly observe: readonly Observation[]
}

/** Names in the joint graph. */
export const named = {
  /** A value of the quantized graph. */
  quantized: (name: string) => `int8:${name}`,
  /** What is left of a value of the float graph when the quantized one is taken from it. */
  error: (name: string) => `error:${name}`,
}

/** `values`: those of the float graph that are compared. */
export function jointGraph(float: Graph, qdq: QdqGraph, values: Iterable<string>): Joint {
  const shared = new Set([...float.inputs, ...(float.states?.keys() ?? [])])
  const rename = (name: string) => (name === '' || shared.has(name) ? name : named.quantized(name))
  const constants = new Map<string, ConstantTensor>(float.constants)
  for (const [name, tensor] of qdq.graph.constants) constants.set(rename(name), tensor)
  const nodes = [...float.nodes, ...qdq.graph.nodes.map((node) => renamed(node, rename))]
  const made = new Set(nodes.flatMap((node) => node.outputs))
  const observe: Observation[] = []
  for (const value of values) {
    const stored = qdq.values.get(value)
    const inputs = stored && [stored.levels, ...stored.parameters].map(rename)
    const real = inputs ? `real:${value}` : rename(value)
    if (inputs) nodes.push(probe('DequantizeLinear', inputs, real))
    else if (!made.has(real) || shared.has(value)) continue
    nodes.push(probe('Sub', [value, real], named.error(value)))
    observe.push({ kind: 'moments', value: named.error(value) })
  }
  const outputs = [...new Set([...float.outputs, ...qdq.graph.outputs.map(rename)])]
  const { blockActivations } = qdq.graph
  const stated = blockActivations === undefined ? {} : { blockActivations }
  return { graph: { ...float, ...stated, outputs, nodes, constants }, observe }
}

function renamed(node: Node, rename: (name: string) => string): Node {
  return {
    ...node,
    name: rename(node.name),
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    ...(node.captures ? { captures: node.captures.map(rename) } : {}),
    attributes: Object.fromEntries(
      Object.entries(node.attributes).map(([name, attribute]) => [
        name,
        attribute.kind === 'graph' ? { ...attribute, value: ownGraph(attribute.value) } : attribute,
      ]),
    ),
  }
}

/** An owned graph under names of its own: both models may have it inlined into one. */
function ownGraph(graph: Graph): Graph {
  const rename = (name: string) => (name === '' ? '' : named.quantized(name))
  const keys = <T>(map: ReadonlyMap<string, T>) => new Map([...map].map(([name, v]) => [rename(name), v]))
  return {
    ...graph,
    inputs: graph.inputs.map(rename),
    outputs: graph.outputs.map(rename),
    captures: graph.captures.map(rename),
    nodes: graph.nodes.map((node) => renamed(node, rename)),
    constants: keys(graph.constants),
    types: keys(graph.types),
  }
}

function probe(opType: string, inputs: readonly string[], output: string): Node {
  return { name: output, opType, domain: '', inputs, outputs: [output], attributes: {} }
}
