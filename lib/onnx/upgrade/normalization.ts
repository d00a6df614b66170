/** Normalizations and Dropout: what only matters in training goes, parameters take their newest form. */
import { intAttribute, type Node } from '../../graph/graph.js'
import { int64s, numbersOf, tensorFromNumbers } from '../../graph/tensor.js'
import { type Upgrade, type UpgradeContext, without } from './context.js'

/** BatchNormalization before 14: inference where only the first output is wanted; `spatial` (before 9) must be 1. */
export const batchNormalization: Upgrade = (node, context) => {
  if (intAttribute(node, 'spatial', 1) !== 1) context.fail('expected spatial to be 1')
  if (node.outputs.slice(1).some((name) => name !== '')) {
    context.fail('expected one output (inference), got those of training')
  }
  return [{ ...without(node, 'spatial'), outputs: node.outputs.slice(0, 1) }]
}

/** Dropout does nothing in inference; its mask is all true (of the type of the data before opset 10). */
function dropout(typedMask: boolean): Upgrade {
  return (node, context) => {
    if (isTraining(node, context)) return [node]
    const [x = ''] = node.inputs
    const [y = '', mask = ''] = node.outputs
    const identity: Node = { ...node, opType: 'Identity', inputs: [x], outputs: [y], attributes: {} }
    const nodes = y === '' ? [] : [identity]
    if (mask === '') return nodes
    const shape = context.fresh('shape')
    const trues = typedMask ? context.fresh('mask') : mask
    const value = { kind: 'tensor', value: tensorFromNumbers('bool', [1], [1]) } as const
    nodes.push(
      context.node('Shape', [x], [shape]),
      context.node('ConstantOfShape', [shape], [trues], { value }),
    )
    if (typedMask) nodes.push(context.node('CastLike', [trues, x], [mask]))
    return nodes
  }
}

/** Training mode (12) drops at random, unless the ratio is known to be 0. */
function isTraining(node: Node, context: UpgradeContext): boolean {
  const mode = node.inputs[2]
  if (mode === undefined || mode === '') return false
  const training = context.constantOf(mode)
  if (training !== undefined && numbersOf(training)[0] === 0) return false
  const ratio = context.constantOf(node.inputs[1] ?? '')
  return ratio === undefined || numbersOf(ratio)[0] !== 0
}

export const dropoutTypedMask = dropout(true)
export const dropoutBoolMask = dropout(false)

/** GroupNormalization-18 had a scale and a bias per group, 21 has them per channel: each is repeated for its channels. */
export const groupNormalization: Upgrade = (node, context) => {
  const groups = intAttribute(node, 'num_groups') ?? context.fail('expected the attribute num_groups')
  const [x = '', scale = '', bias = ''] = node.inputs
  const channels = context.fresh('channels')
  const perGroup = context.fresh('channels_per_group')
  const sizes = context.fresh('expanded_sizes')
  const count = context.constant('groups', int64s([groups]))
  const column = context.constant('column', int64s([-1, 1]))
  const flat = context.constant('flat', int64s([-1]))
  const nodes = [
    context.node('Shape', [x], [channels], {
      start: { kind: 'int', value: 1 },
      end: { kind: 'int', value: 2 },
    }),
    context.node('Div', [channels, count], [perGroup]),
    context.node('Concat', [count, perGroup], [sizes], { axis: { kind: 'int', value: 0 } }),
  ]
  const repeat = (parameter: string, word: string): string => {
    const asColumn = context.fresh(`${word}_column`)
    const expanded = context.fresh(`${word}_expanded`)
    const result = context.fresh(word)
    nodes.push(
      context.node('Reshape', [parameter, column], [asColumn]),
      context.node('Expand', [asColumn, sizes], [expanded]),
      context.node('Reshape', [expanded, flat], [result]),
    )
    return result
  }
  const inputs = [x, repeat(scale, 'scale'), repeat(bias, 'bias')]
  return [...nodes, { ...node, inputs }]
}
