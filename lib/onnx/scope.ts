/** Where the names of a file lead: graphs see the values around them, functions only their parameters. */
import { OctavoError } from '../errors.js'
import type { ConstantTensor, Graph, Node, TensorType } from '../graph/graph.js'
import type { Names } from '../graph/names.js'
import { topologicalOrder } from '../graph/sort.js'

/** A graph while it is read. A value keeps its name of the file unless a graph around this one has that name. */
export class GraphBuilder {
  readonly name: string
  readonly parent: GraphBuilder | undefined
  readonly depth: number
  readonly inputs: string[] = []
  readonly outputs: string[] = []
  readonly nodes: Node[] = []
  readonly constants = new Map<string, ConstantTensor>()
  readonly types = new Map<string, TensorType>()
  readonly captures: string[] = []
  /** Every name defined here or captured. */
  readonly #defined = new Set<string>()

  constructor(name: string, parent?: GraphBuilder) {
    this.name = name
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
  }

  define(name: string): void {
    this.#defined.add(name)
  }

  has(name: string): boolean {
    return this.#defined.has(name)
  }

  /** Whether a graph around this one has a value of that name. */
  isVisibleOutside(name: string): boolean {
    for (let graph = this.parent; graph !== undefined; graph = graph.parent) if (graph.has(name)) return true
    return false
  }

  /** Makes a value of `owner`, a graph around this one, visible here: constants by copy of the reference, others by capture. */
  see(name: string, owner: GraphBuilder): void {
    if (this === owner || this.has(name)) return
    this.parent?.see(name, owner)
    this.define(name)
    const constant = owner.constants.get(name)
    if (constant !== undefined) this.constants.set(name, constant)
    else this.captures.push(name)
  }

  build(): Graph {
    return {
      name: this.name,
      inputs: this.inputs,
      outputs: this.outputs,
      nodes: topologicalOrder(this.nodes),
      constants: this.constants,
      types: this.types,
      captures: this.captures,
    }
  }
}

interface Binding {
  readonly value: string
  readonly graph: GraphBuilder
}

/** Names of one graph or one call of a function, to values of the graph being built. */
export class Scope {
  readonly graph: GraphBuilder
  readonly #parent: Scope | undefined
  readonly #values: Names
  readonly #bindings = new Map<string, Binding>()
  readonly #makers = new Map<string, string>()
  readonly #outputs = new Set<string>()
  /** Put before the names of values inside of a function; '' outside. */
  readonly prefix: string

  constructor(graph: GraphBuilder, values: Names, parent?: Scope, prefix = '') {
    this.graph = graph
    this.#parent = parent
    this.#values = values
    this.prefix = prefix
  }

  /** A new value for `name`; `maker` says in errors what defines it. */
  define(name: string, maker: string): string {
    this.#claim(name, maker)
    let value = this.prefix === '' ? name : this.#values.fresh(`${this.prefix}/${name}`)
    if (this.prefix === '' && (this.graph.has(name) || this.graph.isVisibleOutside(name))) {
      value = this.#values.fresh(name)
    }
    this.#values.take(value)
    this.graph.define(value)
    this.#bindings.set(name, { value, graph: this.graph })
    return value
  }

  /** `name` stands for a value that exists: a parameter of a function. '' is an absent one. */
  bind(name: string, value: string, maker: string): void {
    this.#claim(name, maker)
    this.#bindings.set(name, { value, graph: this.graph })
  }

  /** `name` stands for the value of the caller that a node of the function will produce. */
  bindOutput(name: string, value: string, maker: string): void {
    this.bind(name, value, maker)
    this.#outputs.add(name)
  }

  /** Whether `name` is a bound output that no node has claimed yet; claims it. */
  takeOutput(name: string): boolean {
    return this.#outputs.delete(name)
  }

  /** A bound output that no node has claimed. */
  untakenOutput(): string | undefined {
    return this.#outputs.values().next().value
  }

  hasOwn(name: string): boolean {
    return this.#bindings.has(name)
  }

  /** The value that `name` means here, captured if need be; undefined where nothing defines it. */
  find(name: string): string | undefined {
    if (name === '') return ''
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#parent) {
      const binding = scope.#bindings.get(name)
      if (binding === undefined) continue
      if (binding.value !== '') this.graph.see(binding.value, binding.graph)
      return binding.value
    }
    return undefined
  }

  #claim(name: string, maker: string): void {
    const known = this.#makers.get(name)
    if (known !== undefined) {
      throw new OctavoError(
        'ERR_MODEL_INVALID',
        `Value "${name}" is defined twice: by ${known} and by ${maker}`,
        {
          tensor: name,
        },
      )
    }
    this.#makers.set(name, maker)
  }
}
