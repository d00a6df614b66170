/**
 * A flattened Softmax over the last axis alone is a Softmax, known once inference knows the rank:
 *
 *     octavo.FlattenedSoftmax(x: [2, 3]) {axis=1}  =>  Softmax(x) {axis=-1}
 */
import type { Graph, Node } from '../graph/graph.js'
import { intAttribute } from '../graph/graph.js'
import { inferGraph } from '../ops/core/infer.js'
import type { PassContext } from './pass.js'

const PREFIX = 'Flattened'

export function lastAxisSoftmax(graph: Graph, { overrides, partial }: PassContext): Graph {
  if (!graph.nodes.some(isFlattened)) return graph
  const info = inferGraph(graph, { overrides, partial })
  const nodes = graph.nodes.map((node): Node => {
    const rank = info.types.get(node.inputs[0] ?? '')?.shape?.length
    const axis = intAttribute(node, 'axis', 1)
    if (!isFlattened(node) || rank === undefined || (axis < 0 ? axis + rank : axis) !== rank - 1) return node
    const attributes = { axis: { kind: 'int', value: -1 } } as const
    return { ...node, opType: node.opType.slice(PREFIX.length), domain: '', attributes }
  })
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes }
}

function isFlattened(node: Node): boolean {
  return node.domain === 'octavo' && node.opType.startsWith(PREFIX)
}
