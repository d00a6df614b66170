/**
 * A Scan is a Loop that takes its element of each scanned input by Gather; the engine has Loop alone:
 *
 *     Scan(h, x) { body(h, e) }  =>  Loop(length of x, h) { e = Gather(x, i), body(h, e) }
 */
import { OctavoError } from '../errors.js'
import {
  type Attribute,
  type ConstantTensor,
  type Graph,
  intAttribute,
  intsAttribute,
  type Node,
  type TensorType,
} from '../graph/graph.js'
import { Names } from '../graph/names.js'
import { definedNames, mapGraphsDeep } from '../graph/subgraph.js'

export function scanToLoop(graph: Graph): Graph {
  return mapGraphsDeep(graph, (g) => {
    if (!g.nodes.some(isScan)) return g
    const target = new Target(g)
    const nodes = g.nodes.flatMap((node) => (isScan(node) ? target.replace(node) : [node]))
    return { ...g, nodes, constants: target.constants }
  })
}

const isScan = (node: Node): boolean => node.opType === 'Scan' && node.domain === ''

const int = (value: number): Attribute => ({ kind: 'int', value })

function int64(...values: number[]): ConstantTensor {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
  return { dtype: 'int64', dims: values.length === 1 ? [] : [values.length], data }
}

/** The graph that holds Scans, with names and constants for what replaces them. */
class Target {
  readonly constants: Map<string, ConstantTensor>
  readonly #values: Names
  readonly #names: Names

  constructor(private readonly graph: Graph) {
    this.constants = new Map(graph.constants)
    this.#values = new Names([...definedNames(graph), ...graph.outputs])
    this.#names = new Names(graph.nodes.map((n) => n.name))
  }

  replace(node: Node): Node[] {
    const body = node.attributes.body
    const scanned = intAttribute(node, 'num_scan_inputs', 0)
    if (body?.kind !== 'graph' || scanned < 1 || scanned > node.inputs.length) {
      return fail(node, 'expected a body and at least one scanned input')
    }
    const states = node.inputs.length - scanned
    const sources = node.inputs.slice(states)
    const axes = intsAttribute(node, 'scan_input_axes') ?? sources.map(() => 0)
    const nodes: Node[] = []
    const add = (opType: string, inputs: string[], output: string, attributes: Node['attributes'] = {}) => {
      const name = this.#names.fresh(`${node.name}_${opType}`)
      nodes.push({
        name,
        opType,
        domain: '',
        inputs,
        outputs: [output],
        attributes,
        origin: node.origin ?? [node.name],
      })
      return output
    }
    const lengths = sources.map((source, k) => {
      const sizes = add('Shape', [source], this.#values.fresh(`${source}_sizes`))
      return add(
        'Gather',
        [sizes, this.#constant(int64(axes[k] ?? 0))],
        this.#values.fresh(`${source}_length`),
      )
    })
    const reversed = intsAttribute(node, 'scan_input_directions') ?? []
    const loopBody = bodyOf(body.value, states, axes, reversed)
    const outputs = node.outputs.map((name, i) =>
      i < states || name === '' ? name : this.#stacked(node, i, states, name),
    )
    nodes.push({
      ...node,
      opType: 'Loop',
      inputs: [lengths[0] as string, '', ...node.inputs.slice(0, states)],
      outputs,
      attributes: { body: { kind: 'graph', value: loopBody } },
      captures: [...(node.captures ?? []), ...sources, ...lengths],
    })
    node.outputs.forEach((name, i) => {
      const stacked = outputs[i] as string
      if (stacked !== name) this.#arrange(node, i - states, stacked, name, add)
    })
    return nodes
  }

  /** The name of a scanned output as Loop stacks it: in order, along axis 0. */
  #stacked(node: Node, i: number, states: number, name: string): string {
    const axis = intsAttribute(node, 'scan_output_axes')?.[i - states] ?? 0
    const reversed = intsAttribute(node, 'scan_output_directions')?.[i - states] === 1
    return axis === 0 && !reversed ? name : this.#values.fresh(`${name}_stacked`)
  }

  #arrange(
    node: Node,
    k: number,
    stacked: string,
    name: string,
    add: (...a: [string, string[], string, Node['attributes']?]) => string,
  ): void {
    const axis = intsAttribute(node, 'scan_output_axes')?.[k] ?? 0
    let value = stacked
    if (intsAttribute(node, 'scan_output_directions')?.[k] === 1) {
      const vector = (v: number) => this.#constant({ ...int64(v), dims: [1] })
      const bounds = [vector(-1), vector(-Number.MAX_SAFE_INTEGER), vector(0), vector(-1)]
      value = add('Slice', [value, ...bounds], axis === 0 ? name : this.#values.fresh(`${name}_forward`))
    }
    if (axis === 0) return
    const rank = this.graph.types.get(name)?.shape?.length
    if (rank === undefined)
      fail(node, `expected the rank of output "${name}", which scan_output_axes needs, to be declared`)
    const order = Array.from({ length: rank - 1 }, (_, a) => a + 1)
    order.splice(axis < 0 ? axis + rank : axis, 0, 0)
    add('Transpose', [value], name, { perm: { kind: 'ints', value: order } })
  }

  #constant(tensor: ConstantTensor): string {
    const name = this.#values.fresh('scan_constant')
    this.constants.set(name, tensor)
    return name
  }
}

/** The body as that of a Loop: an iteration number and a condition before the states, scanned inputs as captures. */
function bodyOf(body: Graph, states: number, axes: readonly number[], reversed: readonly number[]): Graph {
  const names = new Names(definedNames(body))
  const nodeNames = new Names(body.nodes.map((n) => n.name))
  const [iteration, condition, goes] = [
    names.fresh('iteration'),
    names.fresh('condition'),
    names.fresh('goes_on'),
  ]
  const constants = new Map(body.constants)
  const nodes: Node[] = []
  const add = (opType: string, inputs: string[], output: string, attributes: Node['attributes'] = {}) => {
    nodes.push({ name: nodeNames.fresh(opType), opType, domain: '', inputs, outputs: [output], attributes })
    return output
  }
  const elements = body.inputs.slice(states)
  const sources = elements.map((name) => names.fresh(`${name}_all`))
  const lengths = elements.map((name) => names.fresh(`${name}_length`))
  const one = names.fresh('one')
  constants.set(one, int64(1))
  elements.forEach((name, k) => {
    const last = () => add('Sub', [lengths[k] as string, one], names.fresh(`${name}_last`))
    const index =
      reversed[k] === 1 ? add('Sub', [last(), iteration], names.fresh(`${name}_index`)) : iteration
    add('Gather', [sources[k] as string, index], name, { axis: int(axes[k] ?? 0) })
  })
  const types = new Map<string, TensorType>(body.types)
  types.set(iteration, { dtype: 'int64', shape: [] })
  types.set(condition, { dtype: 'bool', shape: [] })
  add('Identity', [condition], goes)
  return {
    ...body,
    inputs: [iteration, condition, ...body.inputs.slice(0, states)],
    outputs: [goes, ...body.outputs],
    nodes: [...nodes, ...body.nodes],
    constants,
    types,
    captures: [...body.captures, ...sources, ...lengths],
  }
}

function fail(node: Node, message: string): never {
  throw new OctavoError('ERR_UNSUPPORTED_OP', `Scan node "${node.name}": ${message}`, {
    node: node.name,
    opType: 'Scan',
  })
}
