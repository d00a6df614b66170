/** Softmax, LogSoftmax and Hardmax before opset 13: over all axes from `axis` on, as if they were one. */
import { intAttribute } from '../../graph/graph.js'
import type { Upgrade } from './context.js'

export const flattenedSoftmax: Upgrade = (node, context) => {
  const axis = intAttribute(node, 'axis', 1)
  const x = node.inputs[0] ?? ''
  const y = node.outputs[0] ?? ''
  const last = { ...node, attributes: { ...node.attributes, axis: { kind: 'int', value: -1 } as const } }
  const rank = (context.typeOf(x) ?? context.typeOf(y))?.shape?.length ?? context.constantOf(x)?.dims.length
  if (axis === -1 || (rank !== undefined && axis === rank - 1)) return [last]
  const [shape, rows, result] = [context.fresh('shape'), context.fresh('rows'), context.fresh('result')]
  // Axis 0 of opset 11 may also be written as -rank: then Flatten has it the same way.
  return [
    context.node('Shape', [x], [shape]),
    context.node('Flatten', [x], [rows], { axis: { kind: 'int', value: axis } }),
    { ...last, inputs: [rows], outputs: [result] },
    context.node('Reshape', [result, shape], [y]),
  ]
}
