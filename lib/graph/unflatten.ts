/** Gives each node of a flat graph (`flatten.ts`) back to the graph that it belongs to. */
import { type FlatGraph, resultsOf, type Scope } from './flatten.js'
import type { Attribute, ConstantTensor, Graph, Node, TensorType } from './graph.js'
import { usesOf } from './graph.js'
import { definedNames } from './subgraph.js'

/**
 * The graph with its bodies in their nodes, without what nothing reads. Constants that one body alone reads are in it, those
 * that several graphs read in the main one.
 *
 * @param main Name, inputs, outputs, types and states of the main graph.
 */
export function unflatten({ graph, scopes, scopeOf }: FlatGraph, main: Graph): Graph {
  return new Unflattening(graph, scopes, scopeOf, main).run()
}

class Unflattening {
  private readonly nodes = new Map<Scope | undefined, Node[]>()
  private readonly bodies = new Map<string, Scope[]>()
  private readonly constants = new Map<Scope | undefined, Map<string, ConstantTensor>>()

  constructor(
    graph: Graph,
    scopes: readonly Scope[],
    scopeOf: FlatGraph['scopeOf'],
    private readonly main: Graph,
  ) {
    for (const scope of scopes) listOf(this.bodies, scope.owner).push(scope)
    const readers = new Map<string, Scope | undefined>()
    const read = (name: string, scope: Scope | undefined) =>
      readers.set(name, !readers.has(name) || readers.get(name) === scope ? scope : undefined)
    const live = liveNodes(graph, [...main.outputs, ...(main.updates?.values() ?? [])])
    for (const node of live) {
      const scope = scopeOf(node.name)
      listOf(this.nodes, scope).push(node)
      for (const name of node.inputs) read(name, scope)
    }
    for (const name of main.outputs) read(name, undefined)
    for (const scope of scopes) for (const name of resultsOf(scope)) read(name, scope)
    for (const [name, tensor] of graph.constants) {
      if (!readers.has(name)) continue
      const place = readers.get(name)
      this.constants.set(place, (this.constants.get(place) ?? new Map()).set(name, tensor))
    }
  }

  run(): Graph {
    return { ...this.main, ...this.contents(undefined) }
  }

  private contents(scope: Scope | undefined): Pick<Graph, 'nodes' | 'constants'> {
    const nodes = (this.nodes.get(scope) ?? []).map((node) => this.withBodies(node))
    return { nodes, constants: this.constants.get(scope) ?? new Map() }
  }

  private withBodies(node: Node): Node {
    const scopes = this.bodies.get(node.name)
    if (!scopes) return node
    const bodies = scopes.map((scope) => ({ scope, graph: this.body(scope) }))
    const captures = [...new Set(bodies.flatMap(({ graph }) => freeNames(graph)))]
    const attributes: Record<string, Attribute> = { ...node.attributes }
    for (const { scope, graph } of bodies) {
      attributes[scope.attribute] = { kind: 'graph', value: { ...graph, captures } }
    }
    return { ...node, attributes, captures }
  }

  private body(scope: Scope): Graph {
    const { graph, names } = scope
    const types = new Map<string, TensorType>()
    for (const [inner, type] of graph.types) types.set(names.get(inner) ?? inner, type)
    const inputs = graph.inputs.map((name) => names.get(name) as string)
    return { ...graph, inputs, outputs: resultsOf(scope), types, ...this.contents(scope), captures: [] }
  }
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

/** Values that a body reads and does not define. */
function freeNames(graph: Graph): string[] {
  const own = definedNames(graph)
  const reads = new Set([...graph.nodes.flatMap(usesOf), ...graph.outputs])
  return [...reads].filter((name) => !own.has(name))
}

/** Nodes whose outputs a result needs; what the bodies of a node give out is among its captures. */
function liveNodes(graph: Graph, results: readonly string[]): Node[] {
  const wanted = new Set(results)
  const live: Node[] = []
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((name) => wanted.has(name))) continue
    live.push(node)
    for (const name of usesOf(node)) wanted.add(name)
  }
  return live.reverse()
}
