/** Which inputs of a graph the elements of a value depend on. */
import { type Graph, type Node, producersOf, usesOf } from '../../graph/graph.js'
import { definedNames, ownedGraphs } from '../../graph/subgraph.js'

/** Their outputs depend on sizes alone. */
const SIZES_ONLY = new Set(['Shape', 'Size'])

/** Inputs that `value` is computed from; it may also be a value of an owned graph. */
export function inputsBehind(graph: Graph, value: string): Set<string> {
  const producers = producersOf(graph)
  const inputs = new Set(graph.inputs)
  const found = new Set<string>()
  const seen = new Set<string>()
  const pending = producers.has(value) || inputs.has(value) ? [value] : usesOfOwner(graph, value)
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    if (inputs.has(name)) found.add(name)
    const node = producers.get(name)
    if (node && !SIZES_ONLY.has(node.opType)) pending.push(...usesOf(node))
  }
  return found
}

/** What the node reads whose owned graph, at any depth, defines the value. */
function usesOfOwner(graph: Graph, value: string): string[] {
  return graph.nodes.filter((node) => owns(node, value)).flatMap(usesOf)
}

function owns(node: Node, value: string): boolean {
  return ownedGraphs(node).some(([, g]) => definedNames(g).has(value) || g.nodes.some((n) => owns(n, value)))
}
