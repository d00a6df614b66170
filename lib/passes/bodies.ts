/**
 * Prepares the graphs that nodes own (branches, bodies of loops) by all passes, each as a graph of its own whose inputs are what
 * it takes and what it captures.
 */
import type { Attribute, Graph, Node, TensorType } from '../graph/graph.js'
import { ownedGraphs, settleCaptures } from '../graph/subgraph.js'
import { type Inference, inferGraph, nestedKey } from '../ops/core/infer.js'

type Prepare = (graph: Graph) => Promise<Graph>

/** `prepare`: what is done with each of them, innermost last. What inference says nothing of stays as it is. */
export async function prepareBodies(graph: Graph, prepare: Prepare): Promise<Graph> {
  if (!graph.nodes.some((node) => ownedGraphs(node).length > 0)) return graph
  const info = inferGraph(graph, { partial: true })
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const attributes: Record<string, Attribute> = { ...node.attributes }
    for (const [name, body] of ownedGraphs(node)) {
      const inside = info.nested.get(nestedKey(node, name))
      attributes[name] = { kind: 'graph', value: await prepareBody(body, inside, prepare) }
    }
    nodes.push({ ...node, attributes })
  }
  return settleCaptures({ ...graph, nodes })
}

async function prepareBody(body: Graph, info: Inference | undefined, prepare: Prepare): Promise<Graph> {
  const own = new Set(body.constants.keys())
  const captured = body.captures.filter((name) => name !== '' && !own.has(name))
  const inputs = [...body.inputs, ...captured]
  const types = new Map<string, TensorType>(body.types)
  for (const name of inputs) {
    const type = info?.types.get(name)
    if (!type) return body
    types.set(name, type)
  }
  const alone = await prepare({ ...body, inputs, types, captures: [] })
  const { nodes, constants } = await prepareBodies(alone, prepare)
  return { ...body, nodes, constants }
}
