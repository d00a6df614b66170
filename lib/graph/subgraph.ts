/** Graphs owned by nodes (If, Loop, Scan). */
import type { Attribute, ConstantTensor, Graph, Node } from './graph.js'
import { usesOf } from './graph.js'

/** The graphs a node owns, by attribute, in the order of their names in the node. */
export function ownedGraphs(node: Node): readonly (readonly [string, Graph])[] {
  const owned: [string, Graph][] = []
  for (const name in node.attributes) {
    const attribute = node.attributes[name]
    if (attribute?.kind === 'graph') owned.push([name, attribute.value])
  }
  return owned
}

/** The node with each owned graph replaced; the same node where `change` returns the graphs it was given. */
function mapOwnedGraphs(node: Node, change: (graph: Graph, attribute: string) => Graph): Node {
  let attributes: Record<string, Attribute> | undefined
  for (const [name, graph] of ownedGraphs(node)) {
    const changed = change(graph, name)
    if (changed === graph) continue
    attributes ??= { ...node.attributes }
    attributes[name] = { kind: 'graph', value: changed }
  }
  return attributes === undefined ? node : { ...node, attributes }
}

/** The graph after `change` of every graph inside it, innermost first, and then of itself. */
export function mapGraphsDeep(graph: Graph, change: (graph: Graph) => Graph): Graph {
  const nodes = graph.nodes.map((node) => mapOwnedGraphs(node, (owned) => mapGraphsDeep(owned, change)))
  const same = nodes.every((node, i) => node === graph.nodes[i])
  return change(same ? graph : { ...graph, nodes })
}

/** The names that a graph itself defines: inputs, captures, constants, states, outputs of nodes. */
export function definedNames(graph: Graph): Set<string> {
  const names = new Set([
    ...graph.inputs,
    ...graph.captures,
    ...graph.constants.keys(),
    ...(graph.states?.keys() ?? []),
  ])
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== '') names.add(name)
  return names
}

/**
 * Captured values that are constants of the outer graph become constants of the owned graphs (the bytes are
 * shared), and captures that no owned graph uses are dropped. Owned graphs then fold and lower like any other.
 */
export function settleCaptures(graph: Graph): Graph {
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const settled = settleNode(node, graph.constants)
    changed ||= settled !== node
    return settled
  })
  return changed ? { ...graph, nodes } : graph
}

function settleNode(node: Node, constants: ReadonlyMap<string, ConstantTensor>): Node {
  const owned = ownedGraphs(node)
  if (owned.length === 0) return node
  const captures = node.captures ?? []
  const own = captures.map((name) => constants.get(name))
  const seen = mapOwnedGraphs(node, (graph) => {
    const added = graph.captures.flatMap((name, i) => (own[i] ? [[name, own[i]] as const] : []))
    if (added.length === 0) return settleCaptures(graph)
    return settleCaptures({
      ...graph,
      constants: new Map([...graph.constants, ...added]),
      captures: graph.captures.map((name, i) => (own[i] ? '' : name)),
    })
  })
  const used = new Array<boolean>(captures.length).fill(false)
  for (const [, graph] of ownedGraphs(seen)) {
    const reads = new Set(graph.outputs)
    for (const inner of graph.nodes) for (const name of usesOf(inner)) reads.add(name)
    graph.captures.forEach((name, i) => {
      if (name !== '' && reads.has(name)) used[i] = true
    })
  }
  if (seen === node && used.every(Boolean)) return node
  const kept = mapOwnedGraphs(seen, (graph) => ({
    ...graph,
    captures: graph.captures.filter((_, i) => used[i]),
  }))
  return { ...kept, captures: captures.filter((_, i) => used[i]) }
}
