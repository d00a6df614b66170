/**
 * Nodes that a multiplication by constants, or an addition of constants, can be carried past: f(k * x) = k' * f(x), where
 * k' is k in the sizes of the output.
 */
import type { Dim } from '../graph/expr.js'
import { sameDim } from '../graph/expr.js'
import { intAttribute, intsAttribute, type Node, stringAttribute } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import { floatsOf } from '../graph/tensor.js'
import type { Inference } from '../ops/core/infer.js'
import { backThroughMover, isMover, type Spread, throughMover } from './spread.js'

export type Part = 'factor' | 'offset'

/** Constants for one side of a node, from those for the other side. */
type Carry = (
  editor: GraphEditor,
  node: Node,
  spread: Spread,
  part: Part,
  types: Inference['types'],
) => Spread | undefined

/** By the operator alone; whether these constants can be carried past this node is what `carryUp` and `carryDown` say. */
export function carries(node: Node): boolean {
  return node.domain === '' && (isMover(node) || COMMUTING.has(node.opType))
}

const COMMUTING = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'MaxPool',
  'GlobalMaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'Pad',
  'Resize',
])

/** From the output of the node to its first input. */
export const carryUp: Carry = (editor, node, spread, part, types) =>
  carried(editor, node, spread, part, types, backThroughMover)

/** From the first input of the node to its output. */
export const carryDown: Carry = (editor, node, spread, part, types) =>
  carried(editor, node, spread, part, types, throughMover)

function carried(
  editor: GraphEditor,
  node: Node,
  spread: Spread,
  part: Part,
  types: Inference['types'],
  throughNode: typeof throughMover,
): Spread | undefined {
  const [from, to] = [node.inputs[0], node.outputs[0]].map((name) => types.get(name ?? '')?.shape)
  if (node.domain !== '' || from === undefined || to === undefined) return undefined
  if (isMover(node)) return throughNode(spread, node, from, to)
  if (!commutes(editor, node, spread, part)) return undefined
  return changesNoAxisOf(spread, from, to) ? spread : undefined
}

/** Elements of one output are made of elements that have the same constant. */
function changesNoAxisOf({ dims }: Spread, from: readonly Dim[], to: readonly Dim[]): boolean {
  if (from.length !== to.length || from.length !== dims.length) return false
  return dims.every((d, i) => d === 1 || sameDim(from[i] as Dim, to[i] as Dim))
}

function commutes(editor: GraphEditor, node: Node, spread: Spread, part: Part): boolean {
  const positive = part === 'offset' || spread.values.every((v) => v > 0)
  const perChannel = spread.dims.slice(2).every((d) => d === 1)
  switch (node.opType) {
    case 'Relu':
    case 'LeakyRelu':
      return part === 'factor' && positive
    case 'PRelu':
      return part === 'factor' && positive && editor.constant(node.inputs[1] ?? '') !== undefined
    case 'MaxPool':
      return perChannel && positive && node.outputs.length === 1
    case 'GlobalMaxPool':
      return perChannel && positive
    case 'GlobalAveragePool':
      return perChannel
    case 'AveragePool':
      return perChannel && (part === 'factor' || countsNoPads(node))
    case 'Pad':
      return part === 'factor' && padsWithZero(editor, node)
    case 'Resize':
      return perChannel && interpolates(node)
    default:
      return false
  }
}

/** The mean of a window with pads in it is one of its other elements alone. */
function countsNoPads(node: Node): boolean {
  return intAttribute(node, 'count_include_pad', 0) === 0 || hasNoPads(node)
}

/** A window that lies within its input everywhere. */
export function hasNoPads(node: Node): boolean {
  const automatic = stringAttribute(node, 'auto_pad', 'NOTSET')
  const none = intsAttribute(node, 'pads')?.every((pad) => pad === 0) ?? true
  return (
    intAttribute(node, 'ceil_mode', 0) === 0 && (automatic === 'VALID' || (automatic === 'NOTSET' && none))
  )
}

function padsWithZero(editor: GraphEditor, node: Node): boolean {
  if (stringAttribute(node, 'mode', 'constant') !== 'constant') return false
  const value = node.inputs[2] ?? ''
  const constant = editor.constant(value)
  return value === '' || (constant?.dtype === 'float32' && floatsOf(constant).every((v) => v === 0))
}

/** Every output is a mean of inputs whose weights have the sum 1. */
function interpolates(node: Node): boolean {
  const mode = stringAttribute(node, 'mode', 'nearest')
  const coordinates = stringAttribute(node, 'coordinate_transformation_mode', 'half_pixel')
  return (mode === 'nearest' || mode === 'linear') && coordinates !== 'tf_crop_and_resize'
}
