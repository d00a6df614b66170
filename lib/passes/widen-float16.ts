/**
 * float16 and bfloat16 become float32, in which Octavo computes:
 *
 *     x: float16 -> Mul(w: float16) -> y: float16  =>  x -> Cast(float32) -> Mul(Cast(w)) -> Cast(float16) -> y
 *
 * Folding evaluates the Casts of constants; casts to float16 become casts to float32; inputs, outputs and states keep their type.
 */
import type { DType } from '../graph/dtype.js'
import { DTYPES } from '../graph/dtype.js'
import type { Attribute, ConstantTensor, Graph, Node, TensorType } from '../graph/graph.js'

const HALF: ReadonlySet<DType> = new Set(['float16', 'bfloat16'])
const FLOAT32 = DTYPES.float32.onnx
const HALF_NUMBERS: ReadonlySet<number> = new Set([DTYPES.float16.onnx, DTYPES.bfloat16.onnx])

export function widenFloat16(graph: Graph): Graph {
  return usesHalf(graph) ? widen(graph, true) : graph
}

function usesHalf(graph: Graph): boolean {
  const half = (type: { readonly dtype: DType } | undefined) => type !== undefined && HALF.has(type.dtype)
  if (graph.inputs.some((name) => half(graph.types.get(name)))) return true
  for (const tensor of graph.constants.values()) if (half(tensor)) return true
  for (const { type } of graph.states?.values() ?? []) if (half(type)) return true
  return graph.nodes.some((node) =>
    Object.values(node.attributes).some(
      (a) =>
        (a.kind === 'graph' && usesHalf(a.value)) ||
        (a.kind === 'int' && node.opType === 'Cast' && HALF_NUMBERS.has(a.value)),
    ),
  )
}

function widen(graph: Graph, main: boolean): Graph {
  const nodes: Node[] = []
  const constants = new Map<string, ConstantTensor>()
  const types = new Map<string, TensorType>()
  for (const [name, type] of graph.types)
    types.set(name, HALF.has(type.dtype) ? { ...type, dtype: 'float32' } : type)
  for (const [name, tensor] of graph.constants) {
    if (!HALF.has(tensor.dtype)) constants.set(name, tensor)
    else {
      constants.set(`${name}:half`, tensor)
      nodes.push(cast(`${name}:half`, name, FLOAT32))
    }
  }
  const renamed = new Map<string, string>()
  const widenRead = (name: string, type: TensorType | undefined) => {
    if (!main || !type || !HALF.has(type.dtype)) return
    types.set(name, type)
    types.set(`${name}:wide`, { ...type, dtype: 'float32' })
    renamed.set(name, `${name}:wide`)
    nodes.push(cast(name, `${name}:wide`, FLOAT32))
  }
  for (const name of graph.inputs) widenRead(name, graph.types.get(name))
  for (const [name, { type }] of graph.states ?? []) widenRead(name, type)
  const use = (name: string) => renamed.get(name) ?? name
  const narrowed = new Map<string, DType>()
  if (main) {
    for (const name of graph.outputs) {
      const type = graph.types.get(name)
      if (type && HALF.has(type.dtype)) narrowed.set(name, type.dtype)
    }
    for (const [state, value] of graph.updates ?? []) {
      const dtype = graph.states?.get(state)?.type.dtype
      if (dtype && HALF.has(dtype) && !renamed.has(value)) narrowed.set(value, dtype)
    }
  }
  const made = (name: string) => (narrowed.has(name) ? `${name}:wide` : name)
  for (const node of graph.nodes) {
    nodes.push({
      ...node,
      inputs: node.inputs.map((name) => made(use(name))),
      outputs: node.outputs.map(made),
      captures: node.captures?.map((name) => made(use(name))),
      attributes: mapValues(node.attributes, (a, key) => widenAttribute(a, key)),
    })
  }
  for (const [name, dtype] of narrowed) {
    types.delete(`${name}:wide`)
    types.set(name, { ...types.get(name), dtype })
    nodes.push(
      cast(constants.has(name) || renamed.has(name) ? use(name) : `${name}:wide`, name, DTYPES[dtype].onnx),
    )
  }
  return { ...graph, nodes, constants, types }
}

function widenAttribute(attribute: Attribute, key: string): Attribute {
  const namesType = key === 'to' || key === 'dtype' || key === 'output_dtype'
  if (attribute.kind === 'int' && namesType && HALF_NUMBERS.has(attribute.value))
    return { kind: 'int', value: FLOAT32 }
  if (attribute.kind === 'graph') return { kind: 'graph', value: widen(attribute.value, false) }
  return attribute
}

function cast(from: string, to: string, dtype: number): Node {
  return {
    name: `${to}:cast`,
    opType: 'Cast',
    domain: '',
    inputs: [from],
    outputs: [to],
    attributes: { to: { kind: 'int', value: dtype } },
  }
}

function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T, key: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]))
}
