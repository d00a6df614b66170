/**
 * An If whose condition is known becomes the nodes of the branch that it takes, which every other pass can then see:
 *
 *     y = If(true) { then: Exp(x), else: Neg(x) }  =>  y = Exp(x)
 */
import type { ConstantTensor, Graph, Node, TensorType } from '../graph/graph.js'
import { Names } from '../graph/names.js'
import { definedNames } from '../graph/subgraph.js'
import { firstNumber } from '../graph/tensor.js'
import { foldConstants } from './fold-constants.js'
import type { PassContext } from './pass.js'

export async function inlineIf(graph: Graph, context: PassContext): Promise<Graph> {
  for (let current = graph; ; ) {
    const inlined = inlineOnce(current)
    if (inlined === current) return current
    // Conditions inside of the branch may be known now.
    current = await foldConstants(inlined, context)
  }
}

function inlineOnce(graph: Graph): Graph {
  const taken = new Map(
    graph.nodes.flatMap((node) => branchOf(node, graph).map((branch) => [node, branch] as const)),
  )
  if (taken.size === 0) return graph
  const scope = new Scope(graph)
  const nodes = graph.nodes.flatMap((node) => {
    const branch = taken.get(node)
    return branch ? scope.inline(node, branch) : [node]
  })
  return { ...graph, nodes, constants: scope.constants, types: scope.types }
}

/** The branch that a constant condition takes; [] where it is not known. */
function branchOf(node: Node, { constants }: Graph): Graph[] {
  const condition =
    node.opType === 'If' && node.domain === '' ? constants.get(node.inputs[0] ?? '') : undefined
  const value = firstNumber(condition)
  if (value === undefined) return []
  const branch = node.attributes[value === 0 ? 'else_branch' : 'then_branch']
  return branch?.kind === 'graph' ? [branch.value] : []
}

/** Names of the graph around, and what is added to it. */
class Scope {
  readonly constants: Map<string, ConstantTensor>
  readonly types: Map<string, TensorType>
  readonly #values: Names
  readonly #nodes: Names

  constructor(graph: Graph) {
    this.constants = new Map(graph.constants)
    this.types = new Map(graph.types)
    this.#values = new Names([...definedNames(graph), ...graph.outputs])
    this.#nodes = new Names(graph.nodes.map((n) => n.name))
  }

  inline(node: Node, branch: Graph): Node[] {
    const names = new Map<string, string>([['', '']])
    branch.captures.forEach((inner, i) => {
      if (inner !== '') names.set(inner, node.captures?.[i] ?? '')
    })
    for (const [name, tensor] of branch.constants) this.constants.set(this.#rename(name, names), tensor)
    // What makes an output takes its name; an output that a constant or a captured value is, or a second time one, is copied.
    const made = new Set(branch.nodes.flatMap((n) => n.outputs))
    const copies: Node[] = []
    branch.outputs.forEach((inner, i) => {
      const outer = node.outputs[i] ?? ''
      if (outer === '') return
      if (made.has(inner) && !names.has(inner)) names.set(inner, outer)
      else copies.push(this.#identity(node, inner, outer, names))
    })
    const inlined = branch.nodes.map((inner) => this.#moved(inner, names))
    for (const [name, type] of branch.types) {
      const outer = names.get(name)
      if (outer && !this.types.has(outer)) this.types.set(outer, type)
    }
    return [...inlined, ...copies]
  }

  #moved(inner: Node, names: Map<string, string>): Node {
    const moved = {
      ...inner,
      name: this.#nodes.fresh(inner.name),
      inputs: inner.inputs.map((name) => this.#rename(name, names)),
      outputs: inner.outputs.map((name) => this.#rename(name, names)),
      origin: inner.origin ?? [inner.name],
    }
    return inner.captures
      ? { ...moved, captures: inner.captures.map((name) => this.#rename(name, names)) }
      : moved
  }

  #identity(node: Node, inner: string, outer: string, names: Map<string, string>): Node {
    return {
      name: this.#nodes.fresh(node.name),
      opType: 'Identity',
      domain: '',
      inputs: [this.#rename(inner, names)],
      outputs: [outer],
      attributes: {},
      origin: node.origin ?? [node.name],
    }
  }

  #rename(name: string, names: Map<string, string>): string {
    const known = names.get(name)
    if (known !== undefined) return known
    const fresh = this.#values.fresh(name)
    names.set(name, fresh)
    return fresh
  }
}
