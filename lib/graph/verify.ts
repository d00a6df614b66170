/** Everything that a graph must satisfy, whichever pass made it. */
import { OctavoError } from '../errors.js'
import { byteLength, DTYPES } from './dtype.js'
import type { ConstantTensor, Graph, Node } from './graph.js'
import { usesOf } from './graph.js'
import { ownedGraphs } from './subgraph.js'

export interface Problem {
  readonly message: string
  readonly node?: string
  readonly value?: string
}

/** Throws with all that is wrong with the graph. `after` names the pass that made it. */
export function verifyGraph(graph: Graph, after = ''): void {
  const problems = problemsOf(graph)
  const [first] = problems
  if (first === undefined) return
  const shown = problems.slice(0, 10).map(({ message }) => message)
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`)
  const where = after === '' ? '' : ` after ${after}`
  throw new OctavoError('ERR_INTERNAL', `The graph is not valid${where}:\n  ${shown.join('\n  ')}`, {
    node: first.node,
    tensor: first.value,
  })
}

export function problemsOf(graph: Graph): readonly Problem[] {
  const check = new Check(new Set())
  if (graph.captures.length > 0) check.report('The main graph has captures')
  for (const name of graph.inputs) {
    if (!graph.types.has(name)) check.report(`Input "${name}" has no type`, undefined, name)
  }
  check.graph(graph, '')
  return check.problems
}

class Check {
  readonly problems: Problem[] = []
  readonly #nodeNames: Set<string>

  constructor(nodeNames: Set<string>) {
    this.#nodeNames = nodeNames
  }

  report(message: string, node?: string, value?: string): void {
    this.problems.push({ message, node, value })
  }

  graph(graph: Graph, where: string): void {
    const defined = new Set<string>()
    const define = (name: string, what: string, node?: string) => {
      if (name === '') this.report(`${what}${where} has no name`, node)
      else if (defined.has(name))
        this.report(`"${name}"${where} is defined twice, again by ${what}`, node, name)
      defined.add(name)
    }
    for (const name of graph.inputs) define(name, 'an input')
    for (const name of graph.captures) define(name, 'a capture')
    for (const [name, tensor] of graph.constants) {
      define(name, 'a constant')
      this.#constant(name, tensor)
    }
    for (const name of graph.states?.keys() ?? []) define(name, 'a state')
    const produced = new Set<string>()
    for (const node of graph.nodes) for (const name of node.outputs) produced.add(name)
    for (const node of graph.nodes) {
      this.#node(node, where)
      for (const name of usesOf(node)) {
        if (defined.has(name)) continue
        const reason = produced.has(name)
          ? 'before it is produced (nodes are not sorted)'
          : 'which nothing defines'
        this.report(
          `Node "${node.name}" (${node.opType})${where} reads "${name}", ${reason}`,
          node.name,
          name,
        )
      }
      for (const name of node.outputs) if (name !== '') define(name, `node "${node.name}"`, node.name)
    }
    this.#states(graph, where, defined)
    const outputs = new Set<string>()
    for (const name of graph.outputs) {
      if (!defined.has(name)) this.report(`Output "${name}"${where} is defined by nothing`, undefined, name)
      if (where === '' && outputs.has(name)) this.report(`Output "${name}" is listed twice`, undefined, name)
      outputs.add(name)
    }
    for (const [name, type] of graph.types) {
      if (!Object.hasOwn(DTYPES, type.dtype))
        this.report(`"${name}" has no known type: ${type.dtype}`, undefined, name)
      for (const size of type.shape ?? []) {
        if (typeof size === 'number' && !(Number.isSafeInteger(size) && size >= 0)) {
          this.report(`"${name}"${where} has the size ${size}`, undefined, name)
        }
      }
      const constant = graph.constants.get(name)
      if (constant !== undefined && constant.dtype !== type.dtype) {
        this.report(`Constant "${name}" is ${constant.dtype}, its type says ${type.dtype}`, undefined, name)
      }
    }
  }

  #states({ states, updates }: Graph, where: string, defined: ReadonlySet<string>): void {
    for (const [name, { type, initial }] of states ?? []) {
      const { dtype, shape } = type
      if (where !== '')
        this.report(`State "${name}"${where}: only the main graph has states`, undefined, name)
      if (dtype === 'string' || (DTYPES[dtype]?.bits ?? 0) < 8)
        this.report(`State "${name}" has elements of type ${dtype}`, undefined, name)
      if (initial === undefined) continue
      this.#constant(name, initial)
      if (initial.dtype !== dtype || initial.dims.join() !== shape.join())
        this.report(
          `State "${name}" is ${dtype}[${shape.join(', ')}], its first value ${initial.dtype}[${initial.dims.join(', ')}]`,
          undefined,
          name,
        )
    }
    for (const [state, value] of updates ?? []) {
      if (!states?.has(state)) this.report(`"${state}"${where} is updated, but is no state`, undefined, state)
      if (!defined.has(value))
        this.report(`State "${state}" takes the value "${value}", which nothing defines`, undefined, value)
    }
  }

  #node(node: Node, where: string): void {
    if (node.name === '') this.report(`A node of ${node.opType}${where} has no name`)
    if (this.#nodeNames.has(node.name)) this.report(`Two nodes have the name "${node.name}"`, node.name)
    this.#nodeNames.add(node.name)
    if (node.opType === '') this.report(`Node "${node.name}"${where} has no operator`, node.name)
    const owned = ownedGraphs(node)
    const captures = node.captures ?? []
    if (owned.length === 0 && captures.length > 0)
      this.report(`Node "${node.name}" captures, but owns no graph`, node.name)
    for (const [attribute, graph] of owned) {
      if (graph.captures.length !== captures.length) {
        this.report(
          `Graph "${attribute}" of node "${node.name}" has ${graph.captures.length} captures, the node ${captures.length}`,
          node.name,
        )
      }
      this.graph(graph, ` in graph "${attribute}" of node "${node.name}"`)
    }
    for (const [name, attribute] of Object.entries(node.attributes)) {
      if (attribute.kind === 'tensor')
        this.#constant(`attribute ${name} of node "${node.name}"`, attribute.value)
    }
  }

  #constant(name: string, tensor: ConstantTensor): void {
    const elements = tensor.dims.reduce((n, d) => n * d, 1)
    if (!Number.isSafeInteger(elements) || tensor.dims.some((d) => !Number.isSafeInteger(d) || d < 0)) {
      this.report(`Constant "${name}" has the sizes [${tensor.dims.join(', ')}]`, undefined, name)
      return
    }
    if (tensor.dtype === 'string') {
      const strings = tensor.strings?.length ?? 0
      if (strings !== elements)
        this.report(`Constant "${name}" has ${strings} strings, expected ${elements}`, undefined, name)
      return
    }
    const expected = byteLength(tensor.dtype, elements)
    if (tensor.data.byteLength !== expected) {
      this.report(
        `Constant "${name}" has ${tensor.data.byteLength} bytes, expected ${expected}`,
        undefined,
        name,
      )
    }
  }
}
