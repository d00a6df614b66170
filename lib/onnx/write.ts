/** Writes a model as ONNX: opset 20 or what its operators need, IR 9 or 10. The same model gives the same bytes. */
import { create } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf'
import { OctavoError } from '../errors.js'
import { DTYPES, type DType } from '../graph/dtype.js'
import type { Attribute, ConstantTensor, Graph, Model, Node } from '../graph/graph.js'
import { Names } from '../graph/names.js'
import { topologicalOrder } from '../graph/sort.js'
import { definedNames, ownedGraphs } from '../graph/subgraph.js'
import { BLOCK_ACTIVATIONS } from './block-activations.js'
import {
  SIGN_DOMAIN,
  SIGN_FUNCTIONS,
  SIGN_INPUTS,
  SIGN_OUTPUT,
  type SignOrder,
  signBody,
} from './sign-function.js'
import { withSignCalls } from './sign-tensors.js'
import { CANONICAL_OPSET } from './upgrade/index.js'
import { valueInfo } from './value-info.js'
import { concatenate, lengthOf, modelChunks } from './wire.js'

export interface WriteOptions {
  /** Nodes of other operators that do the same, where the file should not have this one; undefined to write it as it is. */
  readonly decompose?: (node: Node, graph: Graph) => readonly Node[] | undefined
  /** Weights that are -1 and 1 as a bit each, with a function of the model that makes floats of them. */
  readonly signsAsBits?: boolean
  readonly producerVersion?: string
  /** Entries of metadata_props, after those of the model. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * Opset of files that need nothing newer. The canonical form differs from it only in what OPSET_OF_NEWER and
 * `opsetOf` name, more tools read it, and onnxruntime 1.30 refuses some int8 models of opset 21: what it inserts
 * there has an output_dtype beside a zero point of another type.
 */
const WRITTEN_OPSET = 20
/** IR versions that came with opset 20, with opset 21 and with opset 25. */
const IR_VERSION = (opset: number) => (opset <= WRITTEN_OPSET ? 9n : opset < 25 ? 10n : 13n)
/** protobuf refuses messages of 2 GiB. */
const LARGEST_MESSAGE = 2 ** 31 - 1

/** The opset in which ai.onnx got an operator, or its present meaning, where that is newer than what is written. */
const OPSET_OF_NEWER: Readonly<Record<string, number>> = {
  Attention: 24,
  GroupNormalization: 21,
  RMSNormalization: 23,
  RotaryEmbedding: 23,
  Swish: 24,
  TensorScatter: 24,
}

export function writeModel(model: Model, options: WriteOptions = {}): Uint8Array {
  const { payload, names } = survey(model.graph)
  if (payload > LARGEST_MESSAGE) throw tooLarge(payload)
  const writer = new Writer(options, names)
  const graph = writer.graph(model.graph, new Map(), undefined)
  const { blockActivations: stated } = model.graph
  const metadata = {
    ...model.metadata,
    ...(stated === undefined ? {} : { [BLOCK_ACTIVATIONS]: stated }),
    ...options.metadata,
  }
  const message = create(ModelProtoSchema, {
    irVersion: IR_VERSION(writer.opset),
    opsetImport: writer.imports(),
    producerName: 'octavo',
    producerVersion: options.producerVersion ?? '',
    graph,
    functions: signFunctions(writer.imports(), writer.signOrders),
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  })
  const chunks = modelChunks(message)
  const total = lengthOf(chunks)
  if (total > LARGEST_MESSAGE) throw tooLarge(total)
  return concatenate(chunks, total)
}

function tooLarge(bytes: number): OctavoError {
  return new OctavoError(
    'ERR_LIMIT',
    `Expected a model below 2 GiB, the most one ONNX file can hold; its tensors have ${bytes} bytes`,
  )
}

/** Bytes of all tensors, and every name in the model. */
function survey(graph: Graph): { readonly payload: number; readonly names: Names } {
  const names = new Names()
  let payload = 0
  const tensor = (t: ConstantTensor) => {
    payload += t.data.byteLength + (t.strings ?? []).reduce((n, text) => n + text.length, 0)
  }
  const walk = (g: Graph) => {
    for (const name of definedNames(g)) names.take(name)
    for (const constant of g.constants.values()) tensor(constant)
    for (const node of g.nodes) {
      for (const name in node.attributes) {
        const attribute = node.attributes[name]
        if (attribute?.kind === 'tensor') tensor(attribute.value)
      }
      for (const [, owned] of ownedGraphs(node)) walk(owned)
    }
  }
  walk(graph)
  return { payload, names }
}

/** Names that a nested graph can see, so must not define again. */
interface Visible {
  readonly names: ReadonlySet<string>
  readonly around: Visible | undefined
}

function isVisible(name: string, visible: Visible | undefined): boolean {
  for (let scope = visible; scope !== undefined; scope = scope.around) if (scope.names.has(name)) return true
  return false
}

/** Element types of quantized tensors by the opset that brought them. */
const OPSET_OF_TYPE: Readonly<Partial<Record<DType, number>>> = {
  int4: CANONICAL_OPSET,
  uint4: CANONICAL_OPSET,
  int16: CANONICAL_OPSET,
  uint16: CANONICAL_OPSET,
  int2: 25,
  uint2: 25,
}

/** The opset that types of constants and attributes need: those of opset 21 are blocks and a stated output type. */
function opsetOf(graph: Graph): number {
  let opset = WRITTEN_OPSET
  for (const { dtype } of graph.constants.values()) opset = Math.max(opset, OPSET_OF_TYPE[dtype] ?? 0)
  const newer = graph.nodes.some(
    ({ attributes }) => 'block_size' in attributes || 'output_dtype' in attributes,
  )
  return newer ? Math.max(opset, CANONICAL_OPSET) : opset
}

class Writer {
  readonly #options: WriteOptions
  readonly #names: Names
  readonly #domains = new Map<string, number>([['', WRITTEN_OPSET]])
  /** Functions of bits that nodes call. */
  readonly signOrders = new Set<SignOrder>()

  constructor(options: WriteOptions, names: Names) {
    this.#options = options
    this.#names = names
  }

  /** Opset of ai.onnx that the nodes written so far need. */
  get opset(): number {
    return this.#domains.get('') ?? WRITTEN_OPSET
  }

  imports(): { readonly domain: string; readonly version: bigint }[] {
    return [...this.#domains].map(([domain, version]) => ({ domain, version: BigInt(version) }))
  }

  /** `captured`: names of the captures in the graph around. Other names stay unless something around has them. */
  graph(source: Graph, captured: ReadonlyMap<string, string>, around: Visible | undefined): GraphProto {
    const decomposed = this.#decomposed(source)
    const graph = this.#options.signsAsBits ? withSignCalls(decomposed) : decomposed
    const [state] = graph.states?.keys() ?? []
    if (state !== undefined)
      throw new OctavoError(
        'ERR_UNSUPPORTED_OP',
        `State "${state}" has no form in an ONNX file: write a graph that has its value as a constant`,
        { tensor: state },
      )
    this.#domains.set('', Math.max(this.opset, opsetOf(graph)))
    const renamed = new Map(captured)
    const names = new Set<string>()
    for (const name of definedNames(graph)) {
      if (captured.has(name)) continue
      if (around === undefined) this.#names.take(name)
      const own = isVisible(name, around) ? this.#names.fresh(name) : name
      if (own !== name) renamed.set(name, own)
      names.add(own)
    }
    const rename = (name: string) => renamed.get(name) ?? name
    const visible: Visible = { names, around }
    const nodes = graph.nodes.map((node) => this.#node(node, rename, visible))
    const info = (name: string) => valueInfo(rename(name), typeOf(graph, name))
    const outputs = graph.outputs.map((name, i) => {
      // A nested graph must produce its outputs, each once.
      const passed = captured.has(name) || (around !== undefined && graph.outputs.indexOf(name) < i)
      if (!passed) return info(name)
      const copy = this.#names.fresh(`${rename(name)}_out`)
      nodes.push(
        create(NodeProtoSchema, { opType: 'Identity', name: copy, input: [rename(name)], output: [copy] }),
      )
      return valueInfo(copy, typeOf(graph, name))
    })
    return create(GraphProtoSchema, {
      name: graph.name || 'main',
      node: nodes,
      initializer: [...graph.constants].map(([name, tensor]) => tensorProto(rename(name), tensor)),
      input: graph.inputs.map(info),
      output: outputs,
    })
  }

  #node(node: Node, rename: (name: string) => string, visible: Visible): NodeProto {
    const order = node.domain === SIGN_DOMAIN ? orderNamed(node.opType) : undefined
    if (order) this.signOrders.add(order)
    if (node.domain === 'octavo') {
      throw new OctavoError(
        'ERR_UNSUPPORTED_OP',
        `Node "${node.name}" (octavo.${node.opType}) has no form in ONNX and cannot be written`,
        { node: node.name, opType: node.opType },
      )
    }
    const opset =
      node.domain === '' && Object.hasOwn(OPSET_OF_NEWER, node.opType) ? OPSET_OF_NEWER[node.opType] : 1
    this.#domains.set(node.domain, Math.max(this.#domains.get(node.domain) ?? 1, opset ?? 1))
    const captures = (node.captures ?? []).map(rename)
    return create(NodeProtoSchema, {
      opType: node.opType,
      domain: node.domain,
      name: node.name,
      input: node.inputs.map(rename),
      output: node.outputs.map(rename),
      attribute: Object.keys(node.attributes)
        .sort()
        .map((name) => {
          const attribute = node.attributes[name] as Attribute
          if (attribute.kind !== 'graph') return attributeProto(name, attribute)
          const inner = new Map(
            attribute.value.captures.map((capture, i) => [capture, captures[i] ?? capture]),
          )
          const g = this.graph(attribute.value, inner, visible)
          return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g })
        }),
    })
  }

  #decomposed(graph: Graph): Graph {
    const { decompose } = this.#options
    if (decompose === undefined) return graph
    let changed = false
    const nodes = graph.nodes.flatMap((node) => {
      const replacement = decompose(node, graph)
      changed ||= replacement !== undefined
      return replacement ?? [node]
    })
    return changed ? { ...graph, nodes: topologicalOrder(nodes) } : graph
  }
}

function typeOf(graph: Graph, name: string) {
  const constant = graph.constants.get(name)
  return constant ? { dtype: constant.dtype, shape: constant.dims } : graph.types.get(name)
}

function orderNamed(opType: string): SignOrder | undefined {
  return (Object.keys(SIGN_FUNCTIONS) as SignOrder[]).find((order) => SIGN_FUNCTIONS[order] === opType)
}

function signFunctions(imports: ReturnType<Writer['imports']>, orders: ReadonlySet<SignOrder>) {
  return [...orders].map((order) =>
    create(FunctionProtoSchema, {
      name: SIGN_FUNCTIONS[order],
      domain: SIGN_DOMAIN,
      input: [...SIGN_INPUTS],
      output: [SIGN_OUTPUT],
      opsetImport: imports.filter(({ domain }) => domain === ''),
      node: signBody(order).map(({ opType, inputs, output, attribute }) =>
        create(NodeProtoSchema, {
          opType,
          input: [...inputs],
          output: [output],
          attribute: attribute ? [attributeProto(attribute.name, attributeOf(attribute.value))] : [],
        }),
      ),
    }),
  )
}

function attributeOf(value: number | string | ConstantTensor): Exclude<Attribute, { kind: 'graph' }> {
  if (typeof value === 'number') return { kind: 'int', value }
  return typeof value === 'string' ? { kind: 'string', value } : { kind: 'tensor', value }
}

function attributeProto(name: string, attribute: Exclude<Attribute, { kind: 'graph' }>): AttributeProto {
  const text = (value: string) => new TextEncoder().encode(value)
  switch (attribute.kind) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: int64(attribute.value) })
    case 'float':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: attribute.value })
    case 'string':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: text(attribute.value) })
    case 'ints':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.INTS,
        ints: attribute.value.map(int64),
      })
    case 'floats':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...attribute.value] })
    case 'strings':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.STRINGS,
        strings: attribute.value.map(text),
      })
    case 'tensor':
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.TENSOR,
        t: tensorProto('', attribute.value),
      })
  }
}

/** Numbers hold the largest int64 as 2^63. */
function int64(value: number): bigint {
  const integer = BigInt(value)
  return integer > 2n ** 63n - 1n ? 2n ** 63n - 1n : integer
}

function tensorProto(name: string, tensor: ConstantTensor): TensorProto {
  const shared = { name, dataType: DTYPES[tensor.dtype].onnx, dims: tensor.dims.map(BigInt) }
  if (tensor.dtype === 'string') {
    const encoder = new TextEncoder()
    return create(TensorProtoSchema, {
      ...shared,
      stringData: (tensor.strings ?? []).map((s) => encoder.encode(s)),
    })
  }
  const { buffer, byteOffset, byteLength } = tensor.data
  const rawData =
    buffer instanceof ArrayBuffer
      ? new Uint8Array(buffer, byteOffset, byteLength)
      : new Uint8Array(tensor.data)
  return create(TensorProtoSchema, { ...shared, rawData })
}
