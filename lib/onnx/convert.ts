/** ModelProto to graph: names resolved, functions written out, captures explicit, every operator in canonical form. */

import { OctavoError } from '../errors.js'
import type { Pace } from '../event-loop.js'
import type { Attribute, Graph, Node } from '../graph/graph.js'
import { Names } from '../graph/names.js'
import { ownedGraphs } from '../graph/subgraph.js'
import { convertAttribute } from './attributes.js'
import { constantTensor } from './constant-node.js'
import { convertTensor, type ExternalPayloads } from './initializer.js'
import { Budget, type ReadLimits } from './limits.js'
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from './messages.js'
import { FunctionTable, opsetOf } from './opsets.js'
import { GraphBuilder, Scope } from './scope.js'
import { signOrderOf } from './sign-function.js'
import { SIGN_PARTS, signLevels } from './sign-tensors.js'
import { convertType } from './types.js'
import { isUpgraded, upgradeNode } from './upgrade/index.js'
import { UpgradeNames } from './upgrade/names.js'

/** The surroundings in which a list of nodes is read. */
interface Frame {
  readonly scope: Scope
  /** Opset of ai.onnx. */
  readonly opset: number | undefined
  /** Attributes of the call, for nodes of a function that refer to them. */
  readonly call: Readonly<Record<string, Attribute>> | undefined
  /** Calls of functions and graphs around. */
  readonly depth: number
}

type GraphAttributes = ReadonlyMap<AttributeProto, Graph>

export class Converter {
  readonly #external: ExternalPayloads
  readonly #functions: FunctionTable
  readonly #budget: Budget
  readonly #pace: Pace
  readonly #nodeNames = new Names()
  readonly #values = new Names()
  readonly #symbols: Names
  readonly #upgrades: UpgradeNames
  readonly #model: ModelProto

  constructor(
    model: ModelProto,
    facts: {
      readonly external: ExternalPayloads
      readonly onlyFloat32: boolean
      readonly dimParams: Iterable<string>
    },
    limits: ReadLimits,
    pace: Pace,
  ) {
    this.#model = model
    this.#external = facts.external
    this.#symbols = new Names(facts.dimParams)
    this.#functions = new FunctionTable(model.functions)
    this.#budget = new Budget(limits)
    this.#pace = pace
    this.#upgrades = new UpgradeNames(this.#nodeNames, this.#values, facts.onlyFloat32)
  }

  async convert(proto: GraphProto): Promise<Graph> {
    const builder = new GraphBuilder(proto.name)
    const scope = new Scope(builder, this.#values)
    const opset = opsetOf(this.#model.opsetImport)
    return this.#graph(proto, { scope, opset, call: undefined, depth: 0 }, true)
  }

  async #graph(proto: GraphProto, frame: Frame, main: boolean): Promise<Graph> {
    const { scope } = frame
    const builder = scope.graph
    const where = main ? 'the model' : `graph "${proto.name}"`
    if (proto.sparseInitializer.length > 0) {
      throw new OctavoError(
        'ERR_UNSUPPORTED_OP',
        `Initializer "${proto.sparseInitializer[0]}" of ${where} is sparse; only dense tensors are supported`,
      )
    }
    for (const tensor of proto.initializer) {
      const value = scope.define(tensor.name, `an initializer of ${where}`)
      builder.constants.set(value, convertTensor(tensor, this.#external, `Initializer "${tensor.name}"`))
      if (this.#pace.due) await this.#pace.pause()
    }
    const initializers = new Set(proto.initializer.map((tensor) => tensor.name))
    const inputs = new Set<string>()
    for (const input of proto.input) {
      if (inputs.has(input.name)) throw duplicateInput(input.name, where)
      inputs.add(input.name)
      // IR 3 and older list every initializer as an input too; such an input is a constant here.
      if (initializers.has(input.name)) continue
      if (input.name === '') throw new OctavoError('ERR_MODEL_INVALID', `An input of ${where} has no name`)
      const value = scope.define(input.name, `an input of ${where}`)
      builder.inputs.push(value)
      this.#setType(builder, value, input, main)
    }
    await this.#nodes(proto.node, frame)
    for (const info of proto.valueInfo) {
      const value = scope.hasOwn(info.name) ? scope.find(info.name) : undefined
      if (value && !builder.types.has(value) && !builder.constants.has(value))
        this.#setType(builder, value, info, false)
    }
    for (const output of proto.output) {
      const value = scope.find(output.name)
      if (value === undefined || value === '') {
        throw new OctavoError(
          'ERR_MODEL_INVALID',
          `Output "${output.name}" of ${where} is produced by nothing`,
          {
            tensor: output.name,
          },
        )
      }
      if (main && builder.outputs.includes(value)) {
        throw new OctavoError('ERR_MODEL_INVALID', `Output "${output.name}" of ${where} is listed twice`, {
          tensor: output.name,
        })
      }
      builder.outputs.push(value)
      if (!builder.types.has(value) && !builder.constants.has(value))
        this.#setType(builder, value, output, false)
    }
    return builder.build()
  }

  #setType(builder: GraphBuilder, value: string, info: GraphProto['input'][number], required: boolean): void {
    const what = `Value "${info.name}"`
    const type = convertType(info.type, what, (axis) => this.#symbols.fresh(`${info.name}_dim${axis}`))
    if (typeof type !== 'string') builder.types.set(value, type)
    else if (required) {
      throw new OctavoError(
        info.type === undefined ? 'ERR_MODEL_INVALID' : 'ERR_UNSUPPORTED_OP',
        `Input "${info.name}": expected the type of a tensor, got ${type}`,
        { tensor: info.name },
      )
    }
  }

  async #nodes(protos: readonly NodeProto[], frame: Frame): Promise<void> {
    this.#budget.addNodes(protos.length)
    const { scope } = frame
    // Names first: nodes of a file need not be sorted, and unnamed ones must not take a name that comes later.
    const names = protos.map((proto) => this.#nodeName(proto, scope))
    protos.forEach((proto, i) => {
      const maker = `node "${names[i] || proto.opType}" (${proto.opType})`
      // An output of a function is a value of its caller, which has defined it.
      for (const name of proto.output) if (name !== '' && !scope.takeOutput(name)) scope.define(name, maker)
    })
    for (let i = 0; i < protos.length; i++) {
      names[i] ||= this.#nodeNames.fresh(`${scope.prefix}${scope.prefix && '/'}${protos[i]?.opType}_${i}`)
    }
    // Constants before all others, so that a graph around which they stand sees them as constants.
    const isConstant = (proto: NodeProto) => proto.opType === 'Constant' && isOnnx(proto.domain)
    for (const wanted of [true, false]) {
      for (const [i, proto] of protos.entries()) {
        if (isConstant(proto) !== wanted) continue
        const name = names[i] as string
        if (wanted) this.#constant(proto, name, frame)
        else {
          // Most nodes are done by now: to await each would cost more than they do.
          const pending = this.#node(proto, name, frame)
          if (pending) await pending
        }
        if ((i & 63) === 0 && this.#pace.due) await this.#pace.pause()
      }
    }
  }

  /** The name of the file, made unique; '' where the file has none. */
  #nodeName(proto: NodeProto, scope: Scope): string {
    if (proto.opType === '') {
      throw new OctavoError('ERR_MODEL_INVALID', `Node "${proto.name}" has no operator type`, {
        node: proto.name,
      })
    }
    if (proto.name === '') return ''
    return this.#nodeNames.fresh(scope.prefix === '' ? proto.name : `${scope.prefix}/${proto.name}`)
  }

  #constant(proto: NodeProto, name: string, { scope, call }: Frame): void {
    const output = scope.find(proto.output[0] ?? '')
    if (output === undefined || output === '') return
    const what = `Constant node "${name}"`
    const attribute = proto.attribute[0]
    const value =
      attribute === undefined
        ? undefined
        : attribute.refAttrName === ''
          ? convertAttribute(attribute, this.#external, what, () => {
              throw new OctavoError('ERR_MODEL_INVALID', `${what}: expected a value, got a graph`, {
                node: name,
              })
            })
          : call?.[attribute.refAttrName]
    scope.graph.constants.set(output, constantTensor(attribute?.name ?? '', value, attribute, what))
  }

  /** Adds the nodes that `proto` stands for; a promise where it owns graphs or calls a function. */
  #node(proto: NodeProto, name: string, frame: Frame): Promise<void> | undefined {
    const { scope } = frame
    const inputs = trimmed(proto.input).map((input) => {
      const value = scope.find(input)
      if (value !== undefined) return value
      throw new OctavoError(
        'ERR_MODEL_INVALID',
        `Node "${name}" (${proto.opType}) reads "${input}", which is no input, no initializer and no output of a node`,
        { node: name, opType: proto.opType, tensor: input },
      )
    })
    const outputs = trimmed(proto.output).map((output) => scope.find(output) as string)
    const add = (graphs?: GraphAttributes) => {
      const attributes = this.#attributes(proto, name, frame, graphs)
      const domain = isOnnx(proto.domain) ? '' : proto.domain
      const node = { name, opType: proto.opType, domain, inputs, outputs, attributes }
      const called = this.#functions.find(domain, proto.opType, proto.overload)
      if (!called) return this.#add(node, frame)
      return this.#addSigns(called, node, frame) ? undefined : this.#call(called, node, frame)
    }
    return ownsGraphs(proto) ? this.#graphs(proto, name, frame).then(add) : add()
  }

  /** A call of the function that makes floats of bits: a DequantizeLinear of their levels. */
  #addSigns(called: FunctionProto, node: Node, { scope }: Frame): boolean {
    const order = signOrderOf(called)
    const { graph } = scope
    const signs =
      order &&
      signLevels(
        order,
        node.inputs.map((name) => graph.constants.get(name)),
      )
    if (!signs) return false
    const { levels, scale, zeroPoint, axis } = signs
    const inputs = [levels, scale, zeroPoint].map((tensor, i) => {
      const name = this.#values.fresh(`${node.inputs[0]}_${SIGN_PARTS[i]}`)
      graph.constants.set(name, tensor)
      graph.define(name)
      return name
    })
    const attributes = { axis: { kind: 'int', value: axis } } as const
    graph.nodes.push({ ...node, opType: 'DequantizeLinear', domain: '', inputs, attributes })
    return true
  }

  #add(given: Node, { scope, opset }: Frame): undefined {
    const node = withCaptures(given)
    const { name, opType, domain } = node
    if (domain === '' && opset === undefined) {
      throw new OctavoError(
        'ERR_UNSUPPORTED_OPSET',
        `Node "${name}" (${opType}) is of ai.onnx, but the model imports no opset of ai.onnx`,
        { node: name, opType },
      )
    }
    if (opset === undefined || !isUpgraded(node, opset)) scope.graph.nodes.push(node)
    else scope.graph.nodes.push(...upgradeNode(node, opset, this.#upgrades.context(node, scope.graph)))
  }

  async #graphs(proto: NodeProto, name: string, frame: Frame): Promise<GraphAttributes> {
    const graphs = new Map<AttributeProto, Graph>()
    for (const attribute of proto.attribute) {
      if (attribute.g === undefined || attribute.refAttrName !== '') continue
      const depth = frame.depth + 1
      this.#budget.checkDepth(depth, `Node "${name}" (${proto.opType})`)
      const scope = new Scope(
        new GraphBuilder(attribute.g.name, frame.scope.graph),
        this.#values,
        frame.scope,
      )
      graphs.set(attribute, await this.#graph(attribute.g, { ...frame, scope, depth }, false))
    }
    return graphs
  }

  #attributes(
    proto: NodeProto,
    name: string,
    frame: Frame,
    graphs: GraphAttributes | undefined,
  ): Record<string, Attribute> {
    const attributes: Record<string, Attribute> = {}
    for (const attribute of proto.attribute) {
      const value = this.#attribute(
        attribute,
        `Attribute "${attribute.name}" of node "${name}"`,
        frame,
        graphs,
      )
      if (value === undefined) continue
      if (Object.hasOwn(attributes, attribute.name)) {
        throw new OctavoError('ERR_MODEL_INVALID', `Node "${name}" has attribute "${attribute.name}" twice`, {
          node: name,
          opType: proto.opType,
        })
      }
      Object.defineProperty(attributes, attribute.name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    }
    return attributes
  }

  #attribute(
    proto: AttributeProto,
    what: string,
    { call }: Frame,
    graphs: GraphAttributes | undefined,
  ): Attribute | undefined {
    if (proto.refAttrName !== '') return call?.[proto.refAttrName]
    return convertAttribute(proto, this.#external, what, () => graphs?.get(proto) as Graph)
  }

  /** Writes a call of a function out: its nodes, with the values of the call for its parameters. */
  async #call(called: FunctionProto, node: Node, frame: Frame): Promise<void> {
    const { name, inputs, outputs, attributes } = node
    const what = `Function "${called.name}", called by node "${name}"`
    const depth = frame.depth + 1
    this.#budget.checkDepth(depth, what)
    if (inputs.length > called.input.length || outputs.length > called.output.length) {
      throw new OctavoError(
        'ERR_MODEL_INVALID',
        `${what}: expected at most ${called.input.length} inputs and ${called.output.length} outputs, got ${inputs.length} and ${outputs.length}`,
        { node: name, opType: called.name },
      )
    }
    const { graph } = frame.scope
    const scope = new Scope(graph, this.#values, undefined, name)
    for (const [i, parameter] of called.input.entries()) {
      scope.bind(parameter, inputs[i] ?? '', `an input of ${what}`)
    }
    const passed: (readonly [string, string])[] = []
    called.output.forEach((parameter, i) => {
      const value = outputs[i] ?? ''
      if (value === '') return
      if (scope.hasOwn(parameter)) passed.push([parameter, value])
      else scope.bindOutput(parameter, value, `an output of ${what}`)
    })
    const defaults: Record<string, Attribute> = {}
    for (const attribute of called.attributeProto) {
      const value = this.#attribute(attribute, what, frame, undefined)
      if (value !== undefined) defaults[attribute.name] = value
    }
    const opset = called.opsetImport.length > 0 ? opsetOf(called.opsetImport) : frame.opset
    await this.#nodes(called.node, { scope, opset, call: { ...defaults, ...attributes }, depth })
    const missing = scope.untakenOutput()
    if (missing !== undefined) {
      throw new OctavoError('ERR_MODEL_INVALID', `${what}: its output "${missing}" is produced by nothing`, {
        node: name,
      })
    }
    for (const [parameter, value] of passed) {
      graph.nodes.push({
        name: this.#nodeNames.fresh(`${name}/${parameter}`),
        opType: 'Identity',
        domain: '',
        inputs: [scope.find(parameter) as string],
        outputs: [value],
        attributes: {},
      })
    }
  }
}

function ownsGraphs(proto: NodeProto): boolean {
  return proto.attribute.some((attribute) => attribute.g !== undefined)
}

/** Captures of a node are those of all its graphs, and each graph lists them all in the same order. */
function withCaptures(node: Node): Node {
  const owned = ownedGraphs(node)
  if (owned.length === 0) return node
  const captures = [...new Set(owned.flatMap(([, graph]) => graph.captures))]
  const attributes = { ...node.attributes }
  for (const [name, graph] of owned) attributes[name] = { kind: 'graph', value: { ...graph, captures } }
  return { ...node, attributes, captures }
}

function trimmed(names: readonly string[]): readonly string[] {
  let length = names.length
  while (length > 0 && names[length - 1] === '') length--
  return length === names.length ? names : names.slice(0, length)
}

function isOnnx(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

function duplicateInput(name: string, where: string): OctavoError {
  return new OctavoError('ERR_MODEL_INVALID', `Input "${name}" of ${where} is listed twice`, { tensor: name })
}
