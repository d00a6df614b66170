/** Attributes that became inputs: axes, sizes and bounds that a graph may compute. */
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  type Node,
  stringAttribute,
} from '../../graph/graph.js'
import { int64s, scalar, tensorFromNumbers } from '../../graph/tensor.js'
import { scalarLike, type Upgrade, type UpgradeContext, without } from './context.js'

/** The int64 vector attribute as input number `position`. */
function intsToInput(attribute: string, position: number): Upgrade {
  return (node, context) => {
    const values = intsAttribute(node, attribute)
    if (values === undefined) return [node]
    const inputs = padded(node.inputs, position)
    inputs[position] = context.constant(attribute, int64s(values))
    return [{ ...without(node, attribute), inputs }]
  }
}

function padded(inputs: readonly string[], length: number): string[] {
  return [...inputs, ...new Array<string>(Math.max(0, length - inputs.length)).fill('')]
}

/** Squeeze, Unsqueeze, and the reductions. */
export const axesToInput = intsToInput('axes', 1)

/** Split: sizes became an input (13), an equal split must say into how many (18). */
export const splitSizes: Upgrade = (node, context) => {
  const [upgraded = node] = intsToInput('split', 1)(node, context)
  return [upgraded]
}

export const splitCount: Upgrade = (node) => {
  const sizes = node.inputs[1]
  if ((sizes !== undefined && sizes !== '') || node.attributes.num_outputs !== undefined) return [node]
  const attributes = { ...node.attributes, num_outputs: { kind: 'int', value: node.outputs.length } as const }
  return [{ ...node, inputs: node.inputs.slice(0, 1), attributes }]
}

export const sliceBounds: Upgrade = (node, context) => {
  const starts = intsAttribute(node, 'starts')
  const ends = intsAttribute(node, 'ends')
  if (starts === undefined || ends === undefined)
    return node.inputs.length > 1 ? [node] : context.fail('expected starts and ends')
  const axes = intsAttribute(node, 'axes') ?? starts.map((_, i) => i)
  const inputs = [
    node.inputs[0] ?? '',
    context.constant('starts', int64s(starts)),
    context.constant('ends', int64s(ends)),
    context.constant('axes', int64s(axes)),
  ]
  return [{ ...without(node, 'starts', 'ends', 'axes'), inputs }]
}

export const topkCount: Upgrade = (node, context) => {
  const k = intAttribute(node, 'k')
  if (k === undefined) return [node]
  return [{ ...without(node, 'k'), inputs: [node.inputs[0] ?? '', context.constant('k', int64s([k]))] }]
}

export const clipBounds: Upgrade = (node, context) => {
  const x = node.inputs[0] ?? ''
  const bounds = ['min', 'max'].map((name) =>
    node.attributes[name] === undefined
      ? undefined
      : scalarLike(floatAttribute(node, name, 0), name, x, context, scalar),
  )
  const inputs = [x, bounds[0]?.name ?? '', bounds[1]?.name ?? '']
  while (inputs[inputs.length - 1] === '') inputs.pop()
  return [...bounds.flatMap((bound) => bound?.nodes ?? []), { ...without(node, 'min', 'max'), inputs }]
}

export const padAmounts: Upgrade = (node, context) => {
  const pads = intsAttribute(node, 'pads')
  if (pads === undefined) return node.inputs.length > 1 ? [node] : context.fail('expected pads')
  const x = node.inputs[0] ?? ''
  const inputs = [x, context.constant('pads', int64s(pads))]
  const nodes: Node[] = []
  if (stringAttribute(node, 'mode', 'constant') === 'constant') {
    const value = scalarLike(floatAttribute(node, 'value', 0), 'value', x, context, scalar)
    inputs.push(value.name)
    nodes.push(...value.nodes)
  }
  return [...nodes, { ...without(node, 'pads', 'value'), inputs }]
}

/** DFT-17 had its axis as an attribute, counted with the last axis of the complex parts. */
export const dftAxis: Upgrade = (node, context) => {
  const inputs = padded(node.inputs, 3)
  inputs[2] = context.constant('axis', scalar('int64', intAttribute(node, 'axis', 1)))
  return [{ ...without(node, 'axis'), inputs }]
}

/** Scales of Upsample-7. */
export function scalesInput(node: Node, context: UpgradeContext): string {
  const given = node.inputs[1]
  if (given !== undefined && given !== '') return given
  const scales = floatsAttribute(node, 'scales')
  if (scales === undefined) return context.fail('expected scales')
  return context.constant('scales', tensorFromNumbers('float32', [scales.length], scales))
}
