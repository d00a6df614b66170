/** Computes the one value that an operator needs for its sizes, where it depends on constants alone. */
import { type ConstantTensor, type Graph, type Node, producersOf, usesOf } from '../graph/graph.js'
import type { Evaluate } from './pass.js'

/** The graph with `value` as a constant; undefined where it depends on inputs, or is a value of an owned graph. */
export async function evaluateNeeded(
  graph: Graph,
  value: string,
  evaluate: Evaluate,
): Promise<Graph | undefined> {
  const producers = producersOf(graph)
  const needed = new Set<Node>()
  const constants = new Map<string, ConstantTensor>()
  const pending = [value]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const constant = graph.constants.get(name)
    const producer = producers.get(name)
    if (constant) constants.set(name, constant)
    else if (!producer) return undefined
    else if (!needed.has(producer)) {
      needed.add(producer)
      pending.push(...usesOf(producer))
    }
  }
  if (needed.size === 0) return undefined
  const results = await evaluate({
    name: `${graph.name}:${value}`,
    inputs: [],
    outputs: [value],
    nodes: graph.nodes.filter((node) => needed.has(node)),
    constants,
    types: graph.types,
    captures: [],
  })
  return {
    ...graph,
    constants: new Map([...graph.constants, ...results]),
    nodes: graph.nodes.flatMap((n) => left(n, value)),
  }
}

/** The node without the output that is a constant now. */
function left(node: Node, value: string): Node[] {
  if (!node.outputs.includes(value)) return [node]
  const outputs = node.outputs.map((name) => (name === value ? '' : name))
  return outputs.every((name) => name === '') ? [] : [{ ...node, outputs }]
}
