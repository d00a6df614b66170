/**
 * A graph with the nodes of the graphs that its nodes own (branches, bodies of loops) in its own list, under names that are
 * unique: what a branch computes comes before its If, and a captured value has one name everywhere.
 *
 *     y = If(c) captures (x) { then: t = Exp(x), else: e = Neg(x) }  =>  t = Exp(x), e = Neg(x), y = If(c) captures (t, e)
 *
 * Who looks for producers and readers then needs to know nothing of bodies. A flat graph does not run: `unflatten` gives each
 * node back to the graph that it belongs to.
 */
import type { Attribute, ConstantTensor, Graph, Node } from './graph.js'
import { Names } from './names.js'
import { definedNames, ownedGraphs } from './subgraph.js'

/** A graph that a node owns. */
export interface Scope {
  /** Name of the node in the flat graph, and the attribute that holds the graph. */
  readonly owner: string
  readonly attribute: string
  /** The node and the graph as they were. */
  readonly node: Node
  readonly graph: Graph
  /** The graph around; undefined: the main one. */
  readonly parent: Scope | undefined
  /** Names in the flat graph of what the graph defines and captures. */
  readonly names: ReadonlyMap<string, string>
}

export interface FlatGraph {
  /**
   * Inputs and outputs of bodies are inputs and outputs of it, and so are the values that bodies capture: what is merged
   * with another node must not leave its graph.
   */
  readonly graph: Graph
  /** In the order of their nodes, those inside after those around. */
  readonly scopes: readonly Scope[]
  /** The scope of a node, or of an input of a body, by its name in the flat graph; undefined: the main graph. */
  scopeOf(name: string): Scope | undefined
}

/** What a body gives out, by the names in the flat graph. */
export function resultsOf({ graph, names }: Scope): string[] {
  return graph.outputs.map((name) => names.get(name) as string)
}

/** Undefined where no node owns a graph. */
export function flatten(graph: Graph): FlatGraph | undefined {
  return graph.nodes.some((node) => ownedGraphs(node).length > 0) ? new Flattening(graph).run() : undefined
}

class Flattening {
  private readonly nodes: Node[] = []
  private readonly constants: Map<string, ConstantTensor>
  /** The name of a tensor that several graphs have. */
  private readonly known = new Map<ConstantTensor, string>()
  private readonly values: Names
  private readonly nodeNames: Names
  private readonly scopes: Scope[] = []
  private readonly inputs: string[]
  private readonly outputs: Set<string>
  private readonly places = new Map<string, Scope>()

  constructor(private readonly main: Graph) {
    this.constants = new Map(main.constants)
    for (const [name, tensor] of main.constants) this.known.set(tensor, name)
    this.values = new Names([...definedNames(main), ...main.outputs])
    this.nodeNames = new Names(main.nodes.map((node) => node.name))
    this.inputs = [...main.inputs]
    this.outputs = new Set(main.outputs)
  }

  run(): FlatGraph {
    for (const node of this.main.nodes) this.add(node, node.name, (name) => name, undefined)
    const { nodes, constants, inputs, scopes, places } = this
    const graph = { ...this.main, nodes, constants, inputs, outputs: [...this.outputs] }
    return { graph, scopes, scopeOf: (name) => places.get(name) }
  }

  private add(node: Node, name: string, rename: (name: string) => string, scope: Scope | undefined): void {
    if (scope) this.places.set(name, scope)
    const bodies = ownedGraphs(node)
    const results = bodies.flatMap(([attribute, graph]) =>
      this.addBody({ owner: name, attribute, node, graph, parent: scope }, rename),
    )
    const attributes: Record<string, Attribute> = {}
    for (const [key, attribute] of Object.entries(node.attributes)) {
      if (attribute.kind !== 'graph') attributes[key] = attribute
    }
    const moved = { ...node, name, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }
    this.nodes.push(bodies.length === 0 ? moved : { ...moved, attributes, captures: results })
  }

  /** Adds the nodes of a body; the names of what it gives out. */
  private addBody(body: Omit<Scope, 'names'>, outer: (name: string) => string): string[] {
    const { graph, node } = body
    const names = new Map<string, string>([['', '']])
    const scope: Scope = { ...body, names }
    this.scopes.push(scope)
    graph.captures.forEach((inner, i) => {
      if (inner === '') return
      names.set(inner, outer(node.captures?.[i] ?? ''))
      this.outputs.add(names.get(inner) as string)
    })
    for (const [inner, tensor] of graph.constants) names.set(inner, this.constantName(inner, tensor))
    for (const inner of graph.inputs) {
      names.set(inner, this.values.fresh(inner))
      this.inputs.push(names.get(inner) as string)
      this.places.set(names.get(inner) as string, scope)
    }
    const rename = (inner: string): string => {
      const known = names.get(inner)
      if (known !== undefined) return known
      const fresh = this.values.fresh(inner)
      names.set(inner, fresh)
      return fresh
    }
    for (const inner of graph.nodes) this.add(inner, this.nodeNames.fresh(inner.name), rename, scope)
    const results = graph.outputs.map(rename)
    for (const name of results) this.outputs.add(name)
    return results
  }

  private constantName(inner: string, tensor: ConstantTensor): string {
    const known = this.known.get(tensor)
    if (known !== undefined) return known
    const name = this.values.fresh(inner)
    this.known.set(tensor, name)
    this.constants.set(name, tensor)
    return name
  }
}
