/** Removes nodes that give out what they take in: Identity, casts to the same type, transposes and reshapes that change nothing. */
import type { Dim } from '../graph/expr.js'
import { sameDim } from '../graph/expr.js'
import type { Graph, Node } from '../graph/graph.js'
import { intAttribute, intsAttribute } from '../graph/graph.js'
import { DTYPES } from '../graph/dtype.js'
import { type Inference, inferGraph } from '../ops/infer.js'
import type { PassContext } from './pass.js'

export function removeNoOps(graph: Graph, { overrides }: PassContext): Graph {
  const info = inferGraph(graph, { overrides })
  const renamed = new Map<string, string>()
  const outputs = new Set(graph.outputs)
  const use = (name: string) => renamed.get(name) ?? name
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const [input = '', output = ''] = [node.inputs[0], node.outputs[0]]
    if (input !== '' && !outputs.has(output) && changesNothing(node, info)) {
      renamed.set(output, use(input))
      continue
    }
    nodes.push({ ...node, inputs: node.inputs.map(use), captures: node.captures?.map(use) })
  }
  return renamed.size === 0 ? graph : { ...graph, nodes }
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
      return node.inputs.length === 1
    default:
      return false
  }
}

function equalShapes(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((d, i) => sameDim(d, b[i] as Dim))
}
