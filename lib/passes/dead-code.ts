/** Removes nodes and constants that no output needs. */
import type { Graph, Node } from '../graph/graph.js'
import { usesOf } from '../graph/graph.js'

export function removeDeadCode(graph: Graph): Graph {
  const needed = new Set<string>(graph.outputs)
  const kept: Node[] = []
  for (let i = graph.nodes.length - 1; i >= 0; --i) {
    const node = graph.nodes[i] as Node
    if (!node.outputs.some((name) => needed.has(name))) continue
    for (const name of usesOf(node)) needed.add(name)
    kept.push(node)
  }
  const constants = new Map([...graph.constants].filter(([name]) => needed.has(name)))
  if (kept.length === graph.nodes.length && constants.size === graph.constants.size) return graph
  return { ...graph, nodes: kept.reverse(), constants }
}
