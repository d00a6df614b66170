/** The levels that spelt-out fake quantization rounds to: scale * clip(round(x / scale), least, most). */

import type { ConstantTensor } from '../graph/graph.js'
import { intAttribute, type Node } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import { elementCount, floatsOf, numbersOf, tensorFromNumbers } from '../graph/tensor.js'
import { alongAxis, type Spread, spreadOf } from './spread.js'

export interface Levels {
  readonly x: string
  /** Of the rank of x where that is known: one element, or one per channel. */
  readonly scale: ConstantScale
  /** Multiplied with x where the model has no division. */
  readonly inverse: ConstantScale | undefined
  /** Levels without the zero point. */
  readonly least: number
  readonly most: number
}

interface ConstantScale {
  readonly dims: readonly number[]
  readonly values: Float32Array
}

/** What the Mul of levels by their scale ends; undefined: something else. */
export function clippedLevels(editor: GraphEditor, node: Node): Levels | undefined {
  if (node.opType !== 'Mul' || node.domain !== '') return undefined
  const [a = '', b = ''] = node.inputs
  const right = scaleOf(editor, b)
  const scale = right ?? scaleOf(editor, a)
  if (!scale) return undefined
  const start = withoutCasts(editor, right ? a : b)
  const { value, shift } = shifted(editor, start, 'Sub')
  const outer = clipOf(editor, withoutCasts(editor, value))
  const added = shifted(editor, withoutCasts(editor, outer.value), 'Add')
  const round = producer(editor, withoutCasts(editor, added.value), 'Round')
  if (!round || (added.shift ?? 0) !== (shift ?? 0)) return undefined
  // Whole ends may clip before the rounding as well.
  const inner = clipOf(editor, round.inputs[0] as string)
  const zero = shift ?? 0
  const least = Math.max(outer.least - zero, inner.least)
  const most = Math.min(outer.most - zero, inner.most)
  if (
    !Number.isInteger(least) ||
    !Number.isInteger(most) ||
    !Number.isInteger(zero) ||
    least > 0 ||
    most < 0 ||
    least === most
  )
    return undefined
  return quotientOf(editor, inner.value, scale, { least, most })
}

/** x / scale, or x times its inverse. */
function quotientOf(
  editor: GraphEditor,
  value: string,
  scale: ConstantScale,
  ends: Pick<Levels, 'least' | 'most'>,
): Levels | undefined {
  const div = producer(editor, value, 'Div')
  if (div) {
    const divisor = scaleOf(editor, div.inputs[1])
    return divisor && isSame(divisor, scale)
      ? { x: div.inputs[0] as string, scale, inverse: undefined, ...ends }
      : undefined
  }
  const [a = '', b = ''] = producer(editor, value, 'Mul')?.inputs ?? []
  const right = scaleOf(editor, b)
  const inverse = right ?? scaleOf(editor, a)
  const isInverse = (r: number, s: number) => Math.fround(1 / r) === s || Math.fround(1 / s) === r
  if (!inverse || inverse.values.length !== scale.values.length) return undefined
  if (!inverse.values.every((r, i) => isInverse(r, scale.values[i] as number))) return undefined
  return { x: right ? a : b, scale, inverse, ...ends }
}

/** Levels of a constant, exactly as the model computes them; undefined: x is none, or its scale is not along one axis. */
export function levelsOfConstant(editor: GraphEditor, { x, scale, inverse, least, most }: Levels) {
  const tensor = editor.constant(x)
  if (tensor?.dtype !== 'float32') return undefined
  const { dims } = tensor
  const factors = spreadOf(tensorFromNumbers('float32', scale.dims, scale.values), dims)
  const inverses = inverse && spreadOf(tensorFromNumbers('float32', inverse.dims, inverse.values), dims)
  const axis = factors
    ? Math.max(
        0,
        factors.dims.findIndex((d) => d !== 1),
      )
    : 0
  const size = dims[axis] ?? 1
  const along = (spread: Spread) =>
    spread.values.length === 1 ? spread.values : alongAxis(spread, axis, size)
  const [scales, times] = [factors && along(factors), inverses && along(inverses)]
  if (!scales || (inverse && !times)) return undefined
  const inner = elementCount(dims.slice(axis + 1))
  const values = Array.from(floatsOf(tensor), (v, i) => {
    const c = Math.floor(i / inner) % size
    const by = (list: Float32Array) => list[list.length === 1 ? 0 : c] as number
    const level = roundHalfToEven(Math.fround(times ? v * by(times) : v / by(scales)))
    return Math.min(most, Math.max(least, level))
  })
  return { dims, values, scales: [...scales], axis }
}

function roundHalfToEven(v: number): number {
  const down = Math.floor(v)
  const rest = v - down
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1
  return down % 2 === 0 ? down : down + 1
}

function producer(editor: GraphEditor, value: string, opType: string): Node | undefined {
  const node = editor.producer(value)
  return node?.opType === opType && node.domain === '' ? node : undefined
}

/** Whole levels stay what they are in any type that the model casts them to. */
function withoutCasts(editor: GraphEditor, from: string): string {
  let value = from
  for (let node = producer(editor, value, 'Cast'); node; node = producer(editor, value, 'Cast'))
    value = node.inputs[0] as string
  return value
}

/** A value without the zero point that is added to it, or taken off it. */
function shifted(
  editor: GraphEditor,
  value: string,
  opType: 'Add' | 'Sub',
): { readonly value: string; readonly shift?: number } {
  const [a = '', b = ''] = producer(editor, value, opType)?.inputs ?? []
  const right = numberOf(editor, b)
  if (right !== undefined) return { value: a, shift: right }
  const left = opType === 'Add' ? numberOf(editor, a) : undefined
  return left === undefined ? { value } : { value: b, shift: left }
}

interface Clipped {
  readonly value: string
  readonly least: number
  readonly most: number
}

/** Clip, or Max and Min of numbers in any order. */
function clipOf(editor: GraphEditor, from: string): Clipped {
  let [value, least, most] = [from, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (;;) {
    const node = editor.producer(value)
    const [a = '', b = '', c = ''] = node?.domain === '' ? node.inputs : []
    if (node?.opType === 'Clip') {
      const [low, high] = [
        b === '' ? Number.NEGATIVE_INFINITY : numberOf(editor, b),
        c === '' ? Number.POSITIVE_INFINITY : numberOf(editor, c),
      ]
      if (low === undefined || high === undefined) return { value, least, most }
      ;[value, least, most] = [a, Math.max(least, low), Math.min(most, high)]
    } else if ((node?.opType === 'Max' || node?.opType === 'Min') && node.inputs.length === 2) {
      const right = numberOf(editor, b)
      const end = right ?? numberOf(editor, a)
      if (end === undefined) return { value, least, most }
      value = right === undefined ? b : a
      if (node.opType === 'Max') least = Math.max(least, end)
      else most = Math.min(most, end)
    } else return { value, least, most }
  }
}

function numberOf(editor: GraphEditor, value: string): number | undefined {
  const constant = resolved(editor, value)
  return constant && elementCount(constant.dims) >= 1 ? same(numbersOf(constant)) : undefined
}

function same(values: ArrayLike<number>): number | undefined {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return undefined
  return values[0]
}

/** A scale: finite, above 0, and normal. */
function scaleOf(editor: GraphEditor, value: string | undefined): ConstantScale | undefined {
  const constant = value === undefined ? undefined : resolved(editor, value)
  if (constant?.dtype !== 'float32') return undefined
  const values = floatsOf(constant)
  const fits = values.length > 0 && values.every((v) => v >= 2 ** -100 && v <= 2 ** 100)
  if (!fits) return undefined
  const single = same(values)
  return single === undefined
    ? { dims: constant.dims, values }
    : { dims: constant.dims.map(() => 1), values: Float32Array.of(single) }
}

function isSame(a: ConstantScale, b: ConstantScale): boolean {
  return a.values.length === b.values.length && a.values.every((v, i) => v === b.values[i])
}

/** A constant, or what a model makes of one before folding: weights must be known before they are folded to floats. */
function resolved(editor: GraphEditor, value: string): ConstantTensor | undefined {
  const constant = editor.constant(value)
  if (constant) return constant.dtype === 'string' ? undefined : constant
  const node = editor.producer(value)
  const from = node?.domain === '' ? resolved(editor, node.inputs[0] ?? '') : undefined
  if (!node || !from) return undefined
  switch (node.opType) {
    case 'Identity':
      return from
    case 'Cast':
      return intAttribute(node, 'to') === 1
        ? tensorFromNumbers('float32', from.dims, numbersOf(from))
        : undefined
    case 'Reciprocal':
      return from.dtype === 'float32'
        ? tensorFromNumbers(
            'float32',
            from.dims,
            floatsOf(from).map((v) => 1 / v),
          )
        : undefined
    case 'Unsqueeze':
    case 'Reshape':
      return reshaped(node, from, editor.constant(node.inputs[1] ?? ''))
    default:
      return undefined
  }
}

function reshaped(
  node: Node,
  from: ConstantTensor,
  by: ConstantTensor | undefined,
): ConstantTensor | undefined {
  if (!by) return undefined
  const given = [...numbersOf(by)]
  if (node.opType === 'Reshape') {
    const known = given.filter((d) => d > 0).reduce((p, d) => p * d, 1)
    const dims = given.map((d) => (d === -1 ? elementCount(from.dims) / known : d))
    return dims.every((d) => Number.isInteger(d) && d > 0) && elementCount(dims) === elementCount(from.dims)
      ? { ...from, dims }
      : undefined
  }
  const rank = from.dims.length + given.length
  const axes = new Set(given.map((axis) => (axis < 0 ? axis + rank : axis)))
  const rest = [...from.dims]
  return { ...from, dims: Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (rest.shift() ?? 1))) }
}
