/** Means, mean squares and inverse roots as models spell them out: the parts of a normalization. */
import { intAttribute, type Node } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import { elementCount, firstNumber, numbersOf } from '../graph/tensor.js'
import type { Inference } from '../ops/core/infer.js'
import { producedBy } from './product.js'

/** The graph under way, and what inference says of its values. */
export interface Look {
  readonly editor: GraphEditor
  readonly types: Inference['types']
}

/** factor * mean(of), over these axes (sorted, from 0), which stay as 1. */
export interface Mean {
  readonly of: string
  readonly axes: readonly number[]
  readonly factor: number
}

/** 1 / sqrt(factor * mean(of ^ 2) + epsilon) */
export interface InverseRoot extends Mean {
  readonly epsilon: number
}

/** The only element of a float constant that enlarges nothing that it meets. */
function numberOf({ editor }: Look, value: string | undefined, rank: number): number | undefined {
  const constant = value === undefined ? undefined : editor.constant(value)
  const single = constant?.dtype === 'float32' && elementCount(constant.dims) === 1
  return single && constant.dims.length <= rank ? firstNumber(constant) : undefined
}

function rankOf({ types }: Look, value: string | undefined): number {
  return types.get(value ?? '')?.shape?.length ?? 0
}

/** A mean, or a sum over as many elements as are known. */
export function meanOf(look: Look, value: string | undefined): Mean | undefined {
  const { editor } = look
  const node = editor.producer(value ?? '')
  if (node?.domain !== '') return undefined
  const of = node.inputs[0] as string
  const rank = rankOf(look, of)
  switch (node.opType) {
    case 'ReduceMean':
    case 'ReduceSum': {
      const axes = axesOf(look, node, rank)
      const count = node.opType === 'ReduceMean' ? 1 : axes && sizeOf(look, of, axes)
      return axes && count ? { of, axes, factor: count } : undefined
    }
    case 'GlobalAveragePool':
      return rank > 2 ? { of, axes: range(2, rank), factor: 1 } : undefined
    case 'Mul':
    case 'Div':
      return scaledMean(look, node, meanOf)
    default:
      return undefined
  }
}

/** factor * mean(of ^ 2) */
function meanSquareOf(look: Look, value: string | undefined): Mean | undefined {
  const mean = meanOf(look, value)
  const of = mean && squareOf(look, mean.of)
  if (mean && of !== undefined) return { ...mean, of }
  const node = look.editor.producer(value ?? '')
  if (node?.domain === '' && node.opType === 'ReduceSumSquare') return summedSquares(look, node)
  const isScaled = node?.domain === '' && (node.opType === 'Mul' || node.opType === 'Div')
  return isScaled ? scaledMean(look, node, meanSquareOf) : undefined
}

function summedSquares(look: Look, node: Node): Mean | undefined {
  const of = node.inputs[0] as string
  const axes = axesOf(look, node, rankOf(look, of))
  const factor = axes && sizeOf(look, of, axes)
  return axes && factor ? { of, axes, factor } : undefined
}

type MeanOf = (look: Look, value: string | undefined) => Mean | undefined

/** A mean times, or divided by, a number above 0. */
function scaledMean(look: Look, node: Node, inner: MeanOf): Mean | undefined {
  const [a, b] = node.inputs
  const rank = rankOf(look, node.outputs[0])
  const right = numberOf(look, b, rank)
  const by = right ?? (node.opType === 'Mul' ? numberOf(look, a, rank) : undefined)
  const mean = by !== undefined && by > 0 ? inner(look, right === undefined ? b : a) : undefined
  return mean && by
    ? { ...mean, factor: node.opType === 'Mul' ? mean.factor * by : mean.factor / by }
    : undefined
}

function squareOf(look: Look, value: string): string | undefined {
  const pow = producedBy(look.editor, value, 'Pow')
  if (pow) return numberOf(look, pow.inputs[1], rankOf(look, value)) === 2 ? pow.inputs[0] : undefined
  const [a, b] = producedBy(look.editor, value, 'Mul')?.inputs ?? []
  return a !== undefined && b !== undefined && isSame(look.editor, a, b) ? a : undefined
}

/** value = sqrt(factor * mean(of ^ 2) + epsilon), or the norm of `of`. */
export function rootOf(look: Look, value: string | undefined): InverseRoot | undefined {
  const node = look.editor.producer(value ?? '')
  if (node?.domain !== '') return undefined
  const squares = node.opType === 'ReduceL2' ? summedSquares(look, node) : undefined
  if (squares) return { ...squares, epsilon: 0 }
  return isPower(look, node, 0.5) ? shiftedMeanSquare(look, node.inputs[0]) : undefined
}

/** value = 1 / sqrt(factor * mean(of ^ 2) + epsilon) */
export function inverseRootOf(look: Look, value: string | undefined): InverseRoot | undefined {
  const node = look.editor.producer(value ?? '')
  if (node?.domain !== '') return undefined
  if (node.opType === 'Reciprocal') return rootOf(look, node.inputs[0])
  if (node.opType === 'Div' && numberOf(look, node.inputs[0], rankOf(look, value)) === 1)
    return rootOf(look, node.inputs[1])
  return isPower(look, node, -0.5) ? shiftedMeanSquare(look, node.inputs[0]) : undefined
}

function isPower(look: Look, node: Node, exponent: number): boolean {
  if (node.opType === 'Sqrt') return exponent === 0.5
  return node.opType === 'Pow' && numberOf(look, node.inputs[1], rankOf(look, node.inputs[0])) === exponent
}

function shiftedMeanSquare(look: Look, value: string | undefined): InverseRoot | undefined {
  const add = producedBy(look.editor, value, 'Add')
  if (!add) {
    const square = meanSquareOf(look, value)
    return square && { ...square, epsilon: 0 }
  }
  const rank = rankOf(look, value)
  const [a, b] = add.inputs
  const right = numberOf(look, b, rank)
  const epsilon = right ?? numberOf(look, a, rank)
  const square =
    epsilon !== undefined && epsilon >= 0 ? meanSquareOf(look, right === undefined ? b : a) : undefined
  return square && epsilon !== undefined ? { ...square, epsilon } : undefined
}

/** One value, or two that are computed in the same way: some exporters write x - mean twice. */
export function isSame(editor: GraphEditor, a: string, b: string, depth = 3): boolean {
  if (a === b) return true
  const [p, q] = [editor.producer(a), editor.producer(b)]
  if (!p || !q || depth === 0 || p.opType !== q.opType || p.domain !== q.domain || p.captures || q.captures)
    return false
  if (p.outputs.indexOf(a) !== q.outputs.indexOf(b) || p.inputs.length !== q.inputs.length) return false
  if (!/^(Sub|ReduceMean|ReduceSum|GlobalAveragePool|Mul|Div)$/.test(p.opType)) return false
  if (JSON.stringify(p.attributes) !== JSON.stringify(q.attributes)) return false
  return p.inputs.every((name, i) => isSameInput(editor, name, q.inputs[i] as string, depth))
}

function isSameInput(editor: GraphEditor, a: string, b: string, depth: number): boolean {
  const [p, q] = [editor.constant(a), editor.constant(b)]
  if (!p || !q) return isSame(editor, a, b, depth - 1)
  return (
    p.dtype === q.dtype &&
    String(p.dims) === String(q.dims) &&
    p.dtype !== 'string' &&
    String(numbersOf(p)) === String(numbersOf(q))
  )
}

/** Axes of a reduction whose sizes stay as 1. */
function axesOf({ editor }: Look, node: Node, rank: number): readonly number[] | undefined {
  if (rank === 0 || intAttribute(node, 'keepdims', 1) !== 1) return undefined
  const name = node.inputs[1] ?? ''
  if (name === '') return intAttribute(node, 'noop_with_empty_axes', 0) === 0 ? range(0, rank) : undefined
  const constant = editor.constant(name)
  if (!constant || elementCount(constant.dims) === 0) return undefined
  return [...numbersOf(constant)].map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b)
}

/** How many elements these axes of a value have together; undefined: only the data says. */
export function sizeOf({ types }: Look, value: string, axes: readonly number[]): number | undefined {
  const sizes = axes.map((axis) => types.get(value)?.shape?.[axis])
  return sizes.every((d): d is number => typeof d === 'number' && d > 0) ? elementCount(sizes) : undefined
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
