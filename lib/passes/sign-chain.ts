/**
 * What becomes of a sum between a product and the signs of it: nodes of one number each, monotone in it, so that every
 * output channel has thresholds. They are found by computing the nodes as the model states them, in float32.
 */
import type { Node } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import type { Inference } from '../ops/core/infer.js'
import { affineOf, shapeOf } from './affine.js'
import { COMPARISONS, numberOf } from './sign-values.js'
import { alongAxis, spreadOf } from './spread.js'

type Types = Inference['types']

/** A number of output channel c to the next one. */
type Link = (value: number, c: number) => number

const { fround } = Math

/** The links from a product's output to `end`, in their order; undefined: something else lies between, or reads it too. */
export function chainOf(
  editor: GraphEditor,
  types: Types,
  start: string,
  end: string,
  axis: number,
  channels: number,
): { readonly nodes: readonly Node[]; readonly links: readonly Link[] } | undefined {
  const nodes: Node[] = []
  const links: Link[] = []
  let value = start
  while (value !== end) {
    const node = editor.soleReader(value)
    const link = node && linkOf(editor, types, node, value, axis, channels)
    if (!node || !link) return undefined
    nodes.push(node)
    links.push(link)
    value = node.outputs[0] as string
  }
  return nodes.length > 0 ? { nodes, links } : undefined
}

function linkOf(
  editor: GraphEditor,
  types: Types,
  node: Node,
  value: string,
  axis: number,
  channels: number,
): Link | undefined {
  if (node.domain !== '') return undefined
  const affine = affineOf(editor, node, types)
  if (affine) {
    if (affine.x !== value) return undefined
    const factor = affine.factor && alongAxis(affine.factor, axis, channels)
    const offset = affine.offset && alongAxis(affine.offset, axis, channels)
    if ((affine.factor && !factor) || (affine.offset && !offset)) return undefined
    return (v, c) => {
      const scaled = factor ? fround(v * (factor[c] as number)) : v
      return offset ? fround(scaled + (offset[c] as number)) : scaled
    }
  }
  if (node.opType in COMPARISONS) return comparison(editor, types, node, value, axis, channels)
  return node.inputs[0] === value ? function_(editor, node) : undefined
}

function function_(editor: GraphEditor, node: Node): Link | undefined {
  const [low, high] = [numberOf(editor, node.inputs[1]), numberOf(editor, node.inputs[2])]
  switch (node.opType) {
    case 'Sign':
      return Math.sign
    case 'Neg':
      return (v) => -v
    case 'Relu':
      return (v) => Math.max(v, 0)
    case 'Cast':
    case 'Identity':
      return (v) => v
    case 'Not':
      return (v) => 1 - v
    case 'Clip':
      return low === undefined || high === undefined ? undefined : (v) => Math.min(high, Math.max(low, v))
    case 'Where':
      return low === undefined || high === undefined ? undefined : (v) => (v !== 0 ? low : high)
    default:
      return undefined
  }
}

function comparison(
  editor: GraphEditor,
  types: Types,
  node: Node,
  value: string,
  axis: number,
  channels: number,
): Link | undefined {
  const [a = '', b = ''] = node.inputs
  const isLeft = a === value
  const spread = spreadOf(editor.constant(isLeft ? b : a), shapeOf(types, value))
  const limits = spread && alongAxis(spread, axis, channels)
  const compare = COMPARISONS[node.opType]
  if (!limits || !compare) return undefined
  return (v, c) => {
    const limit = limits[c] as number
    return Number(isLeft ? compare(v, limit) : compare(limit, v))
  }
}

/** How the sign of a channel hangs on its sum. */
export interface Threshold {
  /** -1: the sign falls where the sum rises. */
  readonly direction: 1 | -1
  /** Least sum, times `direction`, whose sign is 1. */
  readonly above: number
  /** Whether the sign of the sum before that is 0; signs of lesser sums are -1 in any case. */
  readonly hasZero: boolean
}

/** The threshold of a function from sums in [-most, most] to -1, 0 and 1; undefined: it is no such step. */
export function thresholdOf(sign: (sum: number) => number, most: number): Threshold | undefined {
  const [first, last] = [sign(-most), sign(most)]
  const direction = first <= last ? 1 : -1
  const at = (sum: number) => sign(direction * sum)
  const above = leastWhere((sum) => at(sum) >= 1, most)
  const notBelow = leastWhere((sum) => at(sum) >= 0, most)
  if (above - notBelow > 1 || (above > most && notBelow <= most && above - notBelow !== 1)) return undefined
  return { direction, above, hasZero: above - notBelow === 1 }
}

/** The least integer of [-most, most] where a condition that stays true holds; most + 1: it does not. */
function leastWhere(holds: (sum: number) => boolean, most: number): number {
  let [low, high] = [-most, most + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
