/**
 * Makes a new graph from an old one. The editor keeps who produces and who reads each value up to date, so a
 * pass can look at the graph as it is after its own changes; `finish` drops what became dead and sorts.
 */
import type { ConstantTensor, Graph, Node, TensorType } from './graph.js'
import { resultsOf, usesOf } from './graph.js'
import { Names } from './names.js'
import { topologicalOrder } from './sort.js'
import { ownedGraphs } from './subgraph.js'

export class GraphEditor {
  readonly #graph: Graph
  /** By name; replacing the node of a name keeps its place. */
  readonly #nodes = new Map<string, Node>()
  readonly #constants: Map<string, ConstantTensor>
  readonly #types: Map<string, TensorType>
  readonly #outputs: ReadonlySet<string>
  readonly #producers = new Map<string, string>()
  readonly #readers = new Map<string, Set<string>>()
  readonly #values: Names
  readonly #names: Names
  #changed = false

  constructor(graph: Graph) {
    this.#graph = graph
    this.#constants = new Map(graph.constants)
    this.#types = new Map(graph.types)
    this.#outputs = new Set(resultsOf(graph))
    this.#values = new Names([
      ...graph.inputs,
      ...graph.captures,
      ...this.#outputs,
      ...graph.constants.keys(),
      ...(graph.states?.keys() ?? []),
    ])
    this.#names = new Names()
    for (const node of graph.nodes) {
      this.#link(node)
      this.#takeNames(node)
    }
  }

  /** Nodes as they are now: those of the graph in its order, then added ones. Safe to edit while iterating over it. */
  nodes(): readonly Node[] {
    return [...this.#nodes.values()]
  }

  node(name: string): Node | undefined {
    return this.#nodes.get(name)
  }

  /** The node that makes a value; undefined for inputs, captures, constants and states. */
  producer(value: string): Node | undefined {
    const name = this.#producers.get(value)
    return name === undefined ? undefined : this.#nodes.get(name)
  }

  /** The nodes that read a value, captures included, each once. */
  readers(value: string): readonly Node[] {
    return [...(this.#readers.get(value) ?? [])].map((name) => this.#nodes.get(name) as Node)
  }

  /** The only reader of a value that is no result of the graph. */
  soleReader(value: string): Node | undefined {
    const readers = this.#readers.get(value)
    if (readers?.size !== 1 || this.isOutput(value)) return undefined
    return this.readers(value)[0]
  }

  /** Whether a run leaves the value: as an output, or in a state. */
  isOutput(value: string): boolean {
    return this.#outputs.has(value)
  }

  constant(value: string): ConstantTensor | undefined {
    return this.#constants.get(value)
  }

  type(value: string): TensorType | undefined {
    const constant = this.#constants.get(value)
    if (constant) return { dtype: constant.dtype, shape: constant.dims }
    return this.#graph.states?.get(value)?.type ?? this.#types.get(value)
  }

  setType(value: string, type: TensorType): void {
    this.#types.set(value, type)
    this.#changed = true
  }

  freshValue(base: string): string {
    return this.#values.fresh(base)
  }

  freshNode(base: string): string {
    return this.#names.fresh(base)
  }

  /** Adds a constant under `base` or a name like it; returns the name. */
  addConstant(base: string, tensor: ConstantTensor): string {
    const name = this.#values.fresh(base)
    this.#constants.set(name, tensor)
    this.#changed = true
    return name
  }

  /** The value becomes a constant; its producer is left without that output. */
  makeConstant(value: string, tensor: ConstantTensor): void {
    this.#detachOutput(value)
    this.#constants.set(value, tensor)
    this.#changed = true
  }

  /** Adds a node; its name must be free (`freshNode`) and its outputs too, or those of removed nodes. */
  add(node: Node): void {
    if (this.#nodes.has(node.name)) throw new Error(`A node "${node.name}" is there already`)
    this.#link(node)
    this.#takeNames(node)
    this.#changed = true
  }

  remove(node: Node): void {
    this.#unlink(this.#nodes.get(node.name) ?? node)
    this.#nodes.delete(node.name)
    this.#changed = true
  }

  /** Changes a node in place: another with the same name. */
  update(node: Node): void {
    const old = this.#nodes.get(node.name)
    if (old !== undefined) this.#unlink(old)
    this.#link(node)
    for (const name of node.outputs) this.#values.take(name)
    this.#changed = true
  }

  /** Removes nodes and adds others. A new node may take the name, and so the place, of an old one. */
  replace(old: readonly Node[], added: readonly Node[]): void {
    const kept = new Set(added.map((node) => node.name))
    for (const node of old) if (!kept.has(node.name)) this.remove(node)
    for (const node of added) {
      if (this.#nodes.has(node.name)) this.update(node)
      else this.add(node)
    }
  }

  /**
   * Everything that reads `from` reads `to` instead. Outputs of the graph keep their names: where `from` is one,
   * the producer of `to` makes it under the name `from`, or an Identity does. Returns the name that `to` has now.
   */
  redirect(from: string, to: string): string {
    if (from === to) return to
    this.#renameReads(from, to)
    this.#changed = true
    if (!this.isOutput(from)) return to
    this.#detachOutput(from)
    const producer = this.producer(to)
    if (producer === undefined || this.isOutput(to)) {
      const name = this.freshNode(`${from}/Identity`)
      this.add({ name, opType: 'Identity', domain: '', inputs: [to], outputs: [from], attributes: {} })
      return to
    }
    this.update({ ...producer, outputs: producer.outputs.map((name) => (name === to ? from : name)) })
    this.#renameReads(to, from)
    const type = this.#types.get(to)
    if (type !== undefined) this.#types.set(from, type)
    this.#types.delete(to)
    return from
  }

  /** The new graph: dead nodes, constants and types dropped, sorted. The old one where nothing was changed. */
  finish(): Graph {
    if (!this.#changed) return this.#graph
    return removeDead({
      ...this.#graph,
      nodes: topologicalOrder(this.nodes()),
      constants: this.#constants,
      types: this.#types,
    })
  }

  #takeNames(node: Node): void {
    this.#names.take(node.name)
    for (const name of node.outputs) this.#values.take(name)
    for (const [, graph] of ownedGraphs(node)) for (const inner of graph.nodes) this.#takeNames(inner)
  }

  #link(node: Node): void {
    this.#nodes.set(node.name, node)
    for (const name of node.outputs) if (name !== '') this.#producers.set(name, node.name)
    for (const name of usesOf(node)) {
      const readers = this.#readers.get(name)
      if (readers) readers.add(node.name)
      else this.#readers.set(name, new Set([node.name]))
    }
  }

  #unlink(node: Node): void {
    for (const name of node.outputs) if (this.#producers.get(name) === node.name) this.#producers.delete(name)
    for (const name of usesOf(node)) this.#readers.get(name)?.delete(node.name)
  }

  /** The producer of a value makes it under a name that nothing reads. */
  #detachOutput(value: string): void {
    const producer = this.producer(value)
    if (producer === undefined) return
    const dead = this.freshValue(`${value}/unused`)
    this.update({ ...producer, outputs: producer.outputs.map((name) => (name === value ? dead : name)) })
  }

  #renameReads(from: string, to: string): void {
    const rename = (name: string) => (name === from ? to : name)
    for (const node of this.readers(from)) {
      const captures = node.captures && { captures: node.captures.map(rename) }
      this.update({ ...node, inputs: node.inputs.map(rename), ...captures })
    }
  }
}

/** The graph without nodes, constants and types that no output or update depends on. Operators have no side effects. */
export function removeDead(graph: Graph): Graph {
  const live = new Set(resultsOf(graph))
  const kept: Node[] = []
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i] as Node
    if (!node.outputs.some((name) => live.has(name))) continue
    kept.push(node)
    for (const name of usesOf(node)) live.add(name)
  }
  const defined = new Set([...graph.inputs, ...graph.captures])
  for (const node of kept) for (const name of node.outputs) defined.add(name)
  const allLive =
    kept.length === graph.nodes.length &&
    [...graph.constants.keys()].every((name) => live.has(name)) &&
    [...graph.types.keys()].every((name) => defined.has(name) || live.has(name))
  if (allLive) return graph
  return {
    ...graph,
    nodes: kept.length === graph.nodes.length ? graph.nodes : kept.reverse(),
    constants: new Map([...graph.constants].filter(([name]) => live.has(name))),
    types: new Map([...graph.types].filter(([name]) => defined.has(name) || live.has(name))),
  }
}
