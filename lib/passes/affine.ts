/** Nodes that multiply a value by constants, or add constants to it: Mul, Div, Add, Sub and BatchNormalization. */
import type { Dim } from '../graph/expr.js'
import { floatAttribute, intAttribute, type Node } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import type { Inference } from '../ops/core/infer.js'
import { mapSpread, type Spread, spreadAlong, spreadOf } from './spread.js'

/** x * factor + offset; each where it is there. All elements are finite; factors are far from 0 and from overflow. */
export interface Affine {
  readonly x: string
  readonly factor?: Spread
  readonly offset?: Spread
}

type Types = Inference['types']

/** A node that may be one, by a look at its inputs alone: nothing has to be inferred to leave others. */
export function mayBeAffine(editor: GraphEditor, node: Node): boolean {
  if (node.domain !== '' || !/^(Mul|Div|Add|Sub|BatchNormalization)$/.test(node.opType)) return false
  return node.inputs.some((name) => editor.constant(name)?.dtype === 'float32')
}

/** What the node does to one computed value; undefined: something else, or constants that have no inverse. */
export function affineOf(editor: GraphEditor, node: Node, types: Types): Affine | undefined {
  if (node.domain !== '') return undefined
  const affine =
    node.opType === 'BatchNormalization' ? batchNorm(editor, node, types) : binary(editor, node, types)
  const factors =
    affine?.factor?.values.every((v) => Math.abs(v) <= 2 ** 40 && Math.abs(v) >= 2 ** -40) ?? true
  const offsets = affine?.offset?.values.every((v) => Number.isFinite(v)) ?? true
  return factors && offsets ? affine : undefined
}

/** The largest magnitude over the smallest one. */
export function ratioOf({ values }: Spread): number {
  let [least, most] = [Number.POSITIVE_INFINITY, 0]
  for (const v of values) [least, most] = [Math.min(least, Math.abs(v)), Math.max(most, Math.abs(v))]
  return most / least
}

function binary(editor: GraphEditor, node: Node, types: Types): Affine | undefined {
  const [a = '', b = ''] = node.inputs
  const commutes = node.opType === 'Mul' || node.opType === 'Add'
  const [x, constant] = commutes && editor.constant(a) ? [b, a] : [a, b]
  if (editor.constant(x)) return undefined
  const spread = spreadOf(editor.constant(constant), shapeOf(types, x))
  if (!spread) return undefined
  switch (node.opType) {
    case 'Mul':
      return { x, factor: spread }
    case 'Div':
      return { x, factor: mapSpread(spread, (v) => 1 / v) }
    case 'Add':
      return { x, offset: spread }
    case 'Sub':
      return { x, offset: mapSpread(spread, (v) => -v) }
    default:
      return undefined
  }
}

function batchNorm(editor: GraphEditor, node: Node, types: Types): Affine | undefined {
  const [x = '', ...names] = node.inputs
  const vectors = names.map(
    (name) => spreadOf(editor.constant(name), [types.get(name)?.shape?.[0] ?? 0])?.values,
  )
  const rank = shapeOf(types, x)?.length
  const size = types.get(names[0] ?? '')?.shape?.[0]
  if (rank === undefined || typeof size !== 'number' || vectors.some((v) => v === undefined)) return undefined
  if (node.outputs.slice(1).some((o) => o !== '') || intAttribute(node, 'training_mode', 0) !== 0)
    return undefined
  const [gamma, beta, mean, variance] = vectors.map(
    (v) => (i: number) => (v?.length === 1 ? v[0] : v?.[i]) as number,
  )
  const epsilon = Math.fround(floatAttribute(node, 'epsilon', 1e-5))
  const { fround } = Math
  const factor = Float32Array.from({ length: size }, (_, i) =>
    fround((gamma?.(i) as number) / fround(Math.sqrt(fround((variance?.(i) as number) + epsilon)))),
  )
  const offset = factor.map((k, i) => (beta?.(i) as number) - fround((mean?.(i) as number) * k))
  return { x, factor: spreadAlong(factor, 1, rank), offset: spreadAlong(offset, 1, rank) }
}

export function shapeOf(types: Types, value: string): readonly Dim[] | undefined {
  return types.get(value)?.shape
}
