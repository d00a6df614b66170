/**
 * The graph that every stage reads and returns. Values are names; nodes, graphs and tensors are immutable
 * data: a pass builds new ones. Operators are in the canonical form of one opset (`onnx/upgrade/`), whatever
 * the file had.
 */
import { OctavoError } from '../errors.js'
import type { DType } from './dtype.js'
import type { Dim } from './expr.js'

/** Element type and sizes of a value; no shape where not even the rank is known. */
export interface TensorType {
  readonly dtype: DType
  readonly shape?: readonly Dim[]
}

/** Bytes of a file that is open while the graph is in use. */
export interface FileRange {
  readonly fd: number
  readonly offset: number
  readonly length: number
}

/** A constant tensor: raw little-endian bytes, dense, sub-byte types packed as ONNX packs them. */
export interface ConstantTensor {
  readonly dtype: DType
  readonly dims: readonly number[]
  readonly data: Uint8Array
  /** Where the bytes are, if they are not in memory: `data` reads them. */
  readonly file?: FileRange
  /** Only for dtype string: the elements (data is then empty). */
  readonly strings?: readonly string[]
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: ConstantTensor }
  | { readonly kind: 'graph'; readonly value: Graph }

/**
 * One operator. An absent optional input or output is ''. A node that owns graphs (If, Loop, Scan) lists in
 * `captures` the outer values they use; each owned graph lists in its own `captures` the inner names, in the
 * same order, so that renaming a value never has to look inside a graph.
 */
export interface Node {
  readonly name: string
  readonly opType: string
  /** '' is ai.onnx. */
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly captures?: readonly string[]
  /** Names of the nodes of the file that this one stands for, when a pass fused or split them. */
  readonly origin?: readonly string[]
}

/** A tensor that keeps its value from run to run: a weight in training, a running mean, a cache of keys. */
export interface StateTensor {
  /** Sizes are numbers; elements are neither strings nor of less than a byte. */
  readonly type: { readonly dtype: DType; readonly shape: readonly number[] }
  /** The value before the first run, of that type; absent: zeros. */
  readonly initial?: ConstantTensor
}

/** `block`: rows become int8, with a scale for each block of weights; `float`: they stay as they are. */
export type BlockActivations = 'block' | 'float'

export interface Graph {
  readonly name: string
  /** Names of the inputs that a caller feeds (initializers excluded), in order. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Topologically sorted. */
  readonly nodes: readonly Node[]
  readonly constants: ReadonlyMap<string, ConstantTensor>
  /**
   * States by name; absent: none. Nodes read one as any value, and see what it was when the run began. Passes know that it may
   * change. Only the main graph has states: owned graphs capture them. A program has those that it reads or updates.
   */
  readonly states?: ReadonlyMap<string, StateTensor>
  /**
   * The values that states take when a run ends, by the name of the state; those that are not listed stay. As the update_binding
   * of ONNX's TrainingInfoProto: a graph stays a function, and the order of its nodes means nothing.
   */
  readonly updates?: ReadonlyMap<string, string>
  /** What is known of values: inputs always, others after shape inference or where the file says so. */
  readonly types: ReadonlyMap<string, TensorType>
  /** What products of weights in blocks make of float rows, where the file says it. */
  readonly blockActivations?: BlockActivations
  /** Names under which an owned graph sees the values its node captures; [] for a model's main graph. */
  readonly captures: readonly string[]
}

/** A model: its graph and what the file says about it. */
export interface Model {
  readonly graph: Graph
  /** Opset of ai.onnx that the file declared (the graph itself is canonical). */
  readonly opset: number
  readonly irVersion: number
  readonly producer: string
  readonly metadata: Readonly<Record<string, string>>
}

const KINDS = {
  int: 'an integer',
  float: 'a number',
  string: 'a string',
  ints: 'a list of integers',
  floats: 'a list of numbers',
  strings: 'a list of strings',
  tensor: 'a tensor',
  graph: 'a graph',
} as const

/** The value of an attribute; undefined where it is absent. An attribute of another kind is an error. */
function attributeOf<K extends Attribute['kind']>(node: Node, name: string, kind: K) {
  const attribute = node.attributes[name]
  if (attribute === undefined) return undefined
  if (attribute.kind !== kind) {
    throw new OctavoError(
      'ERR_MODEL_INVALID',
      `${node.opType} node "${node.name}": expected attribute '${name}' to be ${KINDS[kind]}, got ${KINDS[attribute.kind]}`,
      { node: node.name, opType: node.opType },
    )
  }
  return attribute.value as Extract<Attribute, { kind: K }>['value']
}

export function intAttribute(node: Node, name: string, fallback: number): number
export function intAttribute(node: Node, name: string): number | undefined
export function intAttribute(node: Node, name: string, fallback?: number): number | undefined {
  return attributeOf(node, name, 'int') ?? fallback
}

export function floatAttribute(node: Node, name: string, fallback: number): number {
  return attributeOf(node, name, 'float') ?? fallback
}

export function stringAttribute(node: Node, name: string, fallback: string): string {
  return attributeOf(node, name, 'string') ?? fallback
}

export function intsAttribute(node: Node, name: string): readonly number[] | undefined {
  return attributeOf(node, name, 'ints')
}

export function floatsAttribute(node: Node, name: string): readonly number[] | undefined {
  return attributeOf(node, name, 'floats')
}

/** What a run of the graph leaves: its outputs, then the values of its updates; the same one may be there twice. */
export function resultsOf({ outputs, updates }: Graph): readonly string[] {
  return updates === undefined || updates.size === 0 ? outputs : [...outputs, ...updates.values()]
}

/** Every value a node reads, captures included; absent inputs left out. */
export function usesOf(node: Node): string[] {
  return [...node.inputs, ...(node.captures ?? [])].filter((name) => name !== '')
}

/** The nodes that read each value. */
export function consumersOf(graph: Graph): Map<string, Node[]> {
  const consumers = new Map<string, Node[]>()
  for (const node of graph.nodes) {
    for (const name of new Set(usesOf(node))) {
      const list = consumers.get(name)
      if (list) list.push(node)
      else consumers.set(name, [node])
    }
  }
  return consumers
}

/** The node that makes each value. */
export function producersOf(graph: Graph): Map<string, Node> {
  const producers = new Map<string, Node>()
  for (const node of graph.nodes) {
    for (const name of node.outputs) if (name !== '') producers.set(name, node)
  }
  return producers
}
