/** Scaler of ai.onnx.ml, which converters of scikit-learn put before a model: (x - offset) * scale, by column, as float32. */
import { type Attribute, floatsAttribute, type Node } from '../../graph/graph.js'
import { tensorFromNumbers } from '../../graph/tensor.js'
import type { Upgrade } from './context.js'

const TO_FLOAT: Readonly<Record<string, Attribute>> = { to: { kind: 'int', value: 1 } }

export const scaler: Upgrade = (node, context) => {
  const [x = ''] = node.inputs
  const nodes: Node[] = []
  let value = x
  const step = (opType: string, suffix: string, inputs: readonly string[], attributes = {}) => {
    const output = suffix === '' ? (node.outputs[0] ?? '') : context.fresh(suffix)
    nodes.push(context.node(opType, inputs, [output], attributes))
    value = output
  }
  const column = (name: string, none: number) => {
    const numbers = floatsAttribute(node, name) ?? [none]
    return context.constant(name, tensorFromNumbers('float32', [numbers.length], numbers))
  }
  if (context.typeOf(x)?.dtype !== 'float32') step('Cast', 'float', [x], TO_FLOAT)
  step('Sub', 'centred', [value, column('offset', 0)])
  step('Mul', '', [value, column('scale', 1)])
  return nodes
}
