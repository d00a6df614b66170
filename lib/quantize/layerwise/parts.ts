/**
 * Cuts a graph after chosen nodes into parts that run one after another. Between two parts live only the values that
 * later parts read: the frontier.
 */
import { type Graph, type Node, usesOf } from '../../graph/graph.js'

export interface Part {
  readonly nodes: readonly Node[]
  /** Values that it reads and does not make. */
  readonly inputs: readonly string[]
  /** Values that it makes and later parts read. */
  readonly outputs: readonly string[]
  /** Values that are read after it, its own included: the frontier after it. */
  readonly live: ReadonlySet<string>
}

/** One part per cut, each ending with that node; nodes after the last cut belong to none. */
export function cutAfter(graph: Graph, cuts: ReadonlySet<Node>): Part[] {
  const groups: Node[][] = [[]]
  for (const node of graph.nodes) {
    groups.at(-1)?.push(node)
    if (cuts.has(node)) groups.push([])
  }
  groups.pop()
  const lastUse = new Map<string, number>()
  groups.forEach((nodes, k) => {
    for (const node of nodes) {
      for (const name of usesOf(node)) if (!graph.constants.has(name)) lastUse.set(name, k)
    }
  })
  const live = new Set<string>(graph.inputs.filter((name) => lastUse.has(name)))
  return groups.map((nodes, k) => {
    const made = nodes.flatMap((n) => n.outputs).filter((name) => name !== '')
    const own = new Set(made)
    const used = new Set(nodes.flatMap(usesOf))
    const inputs = [...used].filter((name) => !own.has(name) && !graph.constants.has(name))
    const outputs = made.filter((name) => (lastUse.get(name) ?? -1) > k)
    for (const name of [...live]) if ((lastUse.get(name) ?? -1) <= k) live.delete(name)
    for (const name of outputs) live.add(name)
    return { nodes, inputs, outputs, live: new Set(live) }
  })
}
