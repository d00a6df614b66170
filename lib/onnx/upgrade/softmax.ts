/**
 * Softmax, LogSoftmax and Hardmax before opset 13: over all axes from `axis` on, as if they were one. The rank that
 * tells whether that is the last axis alone is not known while reading: an operator of our own waits for it.
 */
import { intAttribute } from '../../graph/graph.js'
import type { Upgrade } from './context.js'

export const flattenedSoftmax: Upgrade = (node, context) => {
  const axis = intAttribute(node, 'axis', 1)
  const x = node.inputs[0] ?? ''
  const y = node.outputs[0] ?? ''
  const rank = (context.typeOf(x) ?? context.typeOf(y))?.shape?.length ?? context.constantOf(x)?.dims.length
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) {
    return [{ ...node, attributes: { ...node.attributes, axis: { kind: 'int', value: -1 } } }]
  }
  return [
    {
      ...node,
      opType: `Flattened${node.opType}`,
      domain: 'octavo',
      attributes: { axis: { kind: 'int', value: axis } },
    },
  ]
}
