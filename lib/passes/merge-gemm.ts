/**
 * A product of rank 2 with constant weights and the Add of a constant vector are a Gemm, which quantized models state with
 * an int32 bias:
 *
 *     MatMul(x, w) -> Add(b)  =>  Gemm(x, w, b)
 */
import type { Graph, Node } from '../graph/graph.js'
import { consumersOf, resultsOf } from '../graph/graph.js'
import { inferGraph } from '../ops/core/infer.js'
import type { PassContext } from './pass.js'

export function mergeGemm(graph: Graph, { overrides, partial }: PassContext): Graph {
  if (!graph.nodes.some((n) => n.opType === 'MatMul')) return graph
  const info = inferGraph(graph, { overrides, partial })
  const consumers = consumersOf(graph)
  const merged = new Map<Node, Node>()
  const gone = new Set<Node>()
  const results = new Set(resultsOf(graph))
  for (const node of graph.nodes) {
    const [a = '', b = ''] = node.inputs
    const output = node.outputs[0] ?? ''
    if (node.opType !== 'MatMul' || node.domain !== '' || results.has(output)) continue
    const weights = graph.constants.get(b)
    if (weights?.dtype !== 'float32' || weights.dims.length !== 2 || info.types.get(a)?.shape?.length !== 2)
      continue
    const followers = consumers.get(output) ?? []
    const next = followers[0]
    if (followers.length !== 1 || next?.opType !== 'Add' || next.domain !== '') continue
    const bias = next.inputs[0] === output ? next.inputs[1] : next.inputs[0]
    const dims = graph.constants.get(bias ?? '')?.dims
    if (bias === undefined || dims?.length !== 1 || dims[0] !== weights.dims[1]) continue
    gone.add(node)
    merged.set(next, {
      name: node.name,
      opType: 'Gemm',
      domain: '',
      inputs: [a, b, bias],
      outputs: next.outputs,
      attributes: {},
      origin: [...(node.origin ?? [node.name]), ...(next.origin ?? [next.name])],
    })
  }
  if (gone.size === 0) return graph
  return { ...graph, nodes: graph.nodes.filter((n) => !gone.has(n)).map((n) => merged.get(n) ?? n) }
}
