/** Values that can only be -a, 0 and a: what Sign makes, and comparisons that choose between two numbers. */
import type { Node } from '../graph/graph.js'
import { stringAttribute } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import { elementCount, firstNumber, floatsOf, numbersOf } from '../graph/tensor.js'
import { isMover } from './spread.js'

export const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
}

/** A node after another: few enough that looking back from every product costs nothing. */
const DEPTH = 8

/** The number of a constant whose elements are all the same. */
export function numberOf(editor: GraphEditor, value: string | undefined): number | undefined {
  const tensor = value === undefined ? undefined : editor.constant(value)
  if (!tensor || tensor.dtype === 'string' || elementCount(tensor.dims) === 0) return undefined
  if (elementCount(tensor.dims) === 1) return firstNumber(tensor)
  const values = tensor.dtype === 'float32' ? floatsOf(tensor) : numbersOf(tensor)
  return values.every((v) => v === values[0]) ? values[0] : undefined
}

/** The numbers that elements of a value can be; undefined: too many to know. */
function imageOf(editor: GraphEditor, value: string, depth = DEPTH): readonly number[] | undefined {
  const node = depth > 0 ? editor.producer(value) : undefined
  if (node?.domain !== '') return undefined
  const [a = '', b = '', c = ''] = node.inputs
  const image = (name: string) => imageOf(editor, name, depth - 1)
  if (node.opType in COMPARISONS || node.opType === 'Not') return [0, 1]
  switch (node.opType) {
    case 'Sign':
      return image(a)?.map(Math.sign) ?? [-1, 0, 1]
    case 'Cast':
    case 'Identity':
      return image(a)
    case 'Where': {
      const [yes, no] = [numberOf(editor, b), numberOf(editor, c)]
      return yes === undefined || no === undefined ? undefined : [yes, no]
    }
    default:
      return arithmetic(node, [numberOf(editor, a), numberOf(editor, b)], () => image(a) ?? image(b))
  }
}

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
}

function arithmetic(
  { opType }: Node,
  [left, right]: readonly (number | undefined)[],
  image: () => readonly number[] | undefined,
): readonly number[] | undefined {
  const fn = BINARY[opType]
  if (!fn || (left === undefined) === (right === undefined)) return undefined
  return image()?.map((v) => Math.fround(left === undefined ? fn(v, right as number) : fn(left, v)))
}

/** The `a` of a value that is -a, 0 or a everywhere; undefined: of another one. */
function magnitudeOf(editor: GraphEditor, value: string): number | undefined {
  const image = imageOf(editor, value)
  const a = Math.max(0, ...(image ?? []).map(Math.abs))
  const fits = a >= 2 ** -100 && a <= 2 ** 100
  return fits && image?.every((v) => v === 0 || Math.abs(v) === a) ? a : undefined
}

export interface SignSource {
  readonly value: string
  readonly magnitude: number
}

/** Where the signs that a product reads are made, above nodes that only move them. */
export function signSource(editor: GraphEditor, input: string): SignSource | undefined {
  let value = input
  for (let node = editor.producer(value); node && moves(editor, node); node = editor.producer(value))
    value = node.inputs[0] as string
  const magnitude = editor.isOutput(value) ? undefined : magnitudeOf(editor, value)
  return magnitude === undefined ? undefined : { value, magnitude }
}

function moves(editor: GraphEditor, node: Node): boolean {
  if (isMover(node)) return true
  if (node.domain !== '') return false
  if (node.opType === 'MaxPool') return node.outputs.slice(1).every((name) => name === '')
  if (node.opType !== 'Pad') return node.opType === 'Identity'
  if (stringAttribute(node, 'mode', 'constant') !== 'constant') return true
  const fill = (node.inputs[2] ?? '') === '' ? 0 : numberOf(editor, node.inputs[2])
  return fill === 0
}
