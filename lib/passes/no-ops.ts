/**
 * Removes nodes that give out what they take in: Identity, casts to the same type, transposes and reshapes that change
 * nothing, arithmetic with a neutral operand:
 *
 *     Relu(Reshape(x: [2, 3], [2, 3]))  =>  Relu(x)
 *     Relu(Add(x, 0))                   =>  Relu(x)
 */
import { DTYPES } from '../graph/dtype.js'
import type { Dim } from '../graph/expr.js'
import { sameDim } from '../graph/expr.js'
import type { Graph, Node } from '../graph/graph.js'
import { intAttribute, intsAttribute, resultsOf } from '../graph/graph.js'
import { floatsOf } from '../graph/tensor.js'
import { type Inference, inferGraph } from '../ops/core/infer.js'
import type { PassContext } from './pass.js'

export function removeNoOps(graph: Graph, { overrides, partial }: PassContext): Graph {
  const info = inferGraph(graph, { overrides, partial })
  const renamed = new Map<string, string>()
  const outputs = new Set(resultsOf(graph))
  const use = (name: string) => renamed.get(name) ?? name
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const output = node.outputs[0] ?? ''
    const kept = keptInput(graph, node, info)
    if (kept !== undefined && !outputs.has(output)) {
      renamed.set(output, use(kept))
      continue
    }
    nodes.push({ ...node, inputs: node.inputs.map(use), captures: node.captures?.map(use) })
  }
  return renamed.size === 0 ? graph : { ...graph, nodes }
}

/** The input that the node gives out unchanged; undefined where it computes. */
function keptInput(graph: Graph, node: Node, info: Inference): string | undefined {
  const input = node.inputs[0] ?? ''
  if (input !== '' && changesNothing(node, info)) return input
  const neutral = NEUTRAL[node.opType]
  if (node.domain !== '' || neutral === undefined) return undefined
  for (const i of neutral.sides) {
    const [constant, other = ''] = [graph.constants.get(node.inputs[i] ?? ''), node.inputs[1 - i]]
    const isNeutral = constant?.dtype === 'float32' && floatsOf(constant).every((v) => v === neutral.value)
    const sameShape = equalShapes(info.types.get(other)?.shape, info.types.get(node.outputs[0] ?? '')?.shape)
    if (isNeutral && sameShape && other !== '') return other
  }
  return undefined
}

/** Operators with an operand that changes nothing, and the side it may stand on. */
const NEUTRAL: Readonly<Record<string, { readonly value: number; readonly sides: readonly number[] }>> = {
  Add: { value: 0, sides: [0, 1] },
  Sub: { value: 0, sides: [1] },
  Mul: { value: 1, sides: [0, 1] },
  Div: { value: 1, sides: [1] },
  Pow: { value: 1, sides: [1] },
}

function changesNothing(node: Node, info: Inference): boolean {
  if (node.domain !== '') return false
  const from = info.types.get(node.inputs[0] ?? '')
  const to = info.types.get(node.outputs[0] ?? '')
  const sameShape = equalShapes(from?.shape, to?.shape)
  switch (node.opType) {
    case 'Identity':
      return true
    case 'Cast':
      return from !== undefined && DTYPES[from.dtype].onnx === intAttribute(node, 'to')
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Expand':
      return sameShape
    case 'Transpose':
      return intsAttribute(node, 'perm')?.every((axis, i) => axis === i) ?? false
    case 'Concat':
    case 'Max':
    case 'Min':
      return node.inputs.length === 1
    default:
      return false
  }
}

function equalShapes(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  return (
    a !== undefined && b !== undefined && a.length === b.length && a.every((d, i) => sameDim(d, b[i] as Dim))
  )
}
