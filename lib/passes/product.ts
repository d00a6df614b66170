/** Patterns that multiply: a tree of Mul, and Div by a scalar, seen as a constant times a list of values. */
import type { Graph, Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { firstNumber } from '../graph/tensor.js'

export interface Product {
  readonly constant: number
  /** Values, without scalar constants; in no particular order. */
  readonly factors: readonly string[]
}

/** The float of a constant with one element, of a rank that no operand it meets is below. */
export function scalarOf(editor: GraphEditor, value: string | undefined): number | undefined {
  const constant = value === undefined ? undefined : editor.constant(value)
  if (constant?.dtype !== 'float32' || constant.dims.length > 1 || constant.dims.some((d) => d !== 1))
    return undefined
  return firstNumber(constant)
}

/** Constants in files are rounded in many ways. */
export function near(a: number | undefined, b: number): boolean {
  return a !== undefined && Math.abs(a - b) <= 1e-4 * Math.abs(b)
}

export function producedBy(editor: GraphEditor, value: string | undefined, opType: string): Node | undefined {
  const node = value === undefined ? undefined : editor.producer(value)
  return node?.opType === opType && node.domain === '' ? node : undefined
}

/** What `node` multiplies; inner products only where nothing else reads them. */
function productOf(editor: GraphEditor, node: Node): Product | undefined {
  const [a = '', b = ''] = node.inputs
  if (node.domain !== '' || (node.opType !== 'Mul' && node.opType !== 'Div')) return undefined
  if (node.opType === 'Div') {
    const divisor = scalarOf(editor, b)
    return divisor ? scaled(factorsOf(editor, a), 1 / divisor) : undefined
  }
  const [left, right] = [factorsOf(editor, a), factorsOf(editor, b)]
  return { constant: left.constant * right.constant, factors: [...left.factors, ...right.factors] }
}

/** `value` as a product: of its factors where only one node reads it, else itself. */
export function factorsOf(editor: GraphEditor, value: string): Product {
  const constant = scalarOf(editor, value)
  if (constant !== undefined) return { constant, factors: [] }
  const node = editor.producer(value)
  const inner = node && editor.soleReader(value) ? productOf(editor, node) : undefined
  return inner ?? { constant: 1, factors: [value] }
}

function scaled({ constant, factors }: Product, by: number): Product {
  return { constant: constant * by, factors }
}

/** The other operand of an Add of a scalar near `constant`. */
export function plusConstant(
  editor: GraphEditor,
  value: string | undefined,
  constant: number,
): string | undefined {
  const add = producedBy(editor, value, 'Add')
  const [a, b] = add?.inputs ?? []
  if (near(scalarOf(editor, b), constant)) return a
  return near(scalarOf(editor, a), constant) ? b : undefined
}

export type Activation = Pick<Node, 'opType' | 'attributes'>

/** The activation that a product of x and f(x) is; undefined: none. */
export type Recognise = (
  editor: GraphEditor,
  constant: number,
  x: string,
  other: string,
) => Activation | undefined

/** Replaces every product of two factors that `recognise` knows, in either order, by one node of one input. */
export function replaceProducts(graph: Graph, recognise: Recognise): Graph {
  if (!graph.nodes.some((node) => node.opType === 'Mul')) return graph
  const editor = new GraphEditor(graph)
  // Outer products come last; from the end on, a whole pattern is seen before its parts.
  for (const node of [...editor.nodes()].reverse()) {
    if (editor.node(node.name) !== node) continue
    const product = productOf(editor, node)
    const [p, q] = product?.factors ?? []
    if (product?.factors.length !== 2 || p === undefined || q === undefined) continue
    const pq = recognise(editor, product.constant, p, q)
    const found = pq ?? recognise(editor, product.constant, q, p)
    if (!found) continue
    editor.update({ ...node, ...found, inputs: [pq ? p : q] })
  }
  return editor.finish()
}
