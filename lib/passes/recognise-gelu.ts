/**
 * Gelu and its approximation, as PyTorch writes them:
 *
 *     0.5 * x * (1 + Erf(x / sqrt(2)))                              =>  Gelu(x)
 *     0.5 * x * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 * x ^ 3)))  =>  Gelu(x) {approximate="tanh"}
 */
import type { Attribute, Graph } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import {
  type Activation,
  factorsOf,
  near,
  plusConstant,
  producedBy,
  replaceProducts,
  scalarOf,
} from './product.js'

const TANH: Attribute = { kind: 'string', value: 'tanh' }

export function recogniseGelu(graph: Graph): Graph {
  return replaceProducts(graph, (editor, constant, x, other): Activation | undefined => {
    const inner = near(constant, 0.5) ? plusConstant(editor, other, 1) : undefined
    if (isErf(editor, x, inner)) return { opType: 'Gelu', attributes: {} }
    return isTanh(editor, x, inner) ? { opType: 'Gelu', attributes: { approximate: TANH } } : undefined
  })
}

/** Erf(x / sqrt(2)) */
function isErf(editor: GraphEditor, x: string, value: string | undefined): boolean {
  const erf = producedBy(editor, value, 'Erf')
  const { constant, factors } = factorsOf(editor, erf?.inputs[0] ?? '')
  return factors.length === 1 && factors[0] === x && near(constant, Math.SQRT1_2)
}

/** Tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)) */
function isTanh(editor: GraphEditor, x: string, value: string | undefined): boolean {
  const tanh = producedBy(editor, value, 'Tanh')
  const { constant, factors } = factorsOf(editor, tanh?.inputs[0] ?? '')
  if (factors.length !== 1 || !near(constant, Math.sqrt(2 / Math.PI))) return false
  const sum = producedBy(editor, factors[0], 'Add')?.inputs ?? []
  const cubic = sum[0] === x ? sum[1] : sum[1] === x ? sum[0] : undefined
  return cubic !== undefined && isCube(editor, x, cubic)
}

/** 0.044715 * x^3, the cube written as Pow or as products. */
function isCube(editor: GraphEditor, x: string, value: string): boolean {
  const { constant, factors } = factorsOf(editor, value)
  if (!near(constant, 0.044715)) return false
  if (factors.length === 3) return factors.every((f) => f === x)
  const pow = factors.length === 1 ? producedBy(editor, factors[0], 'Pow') : undefined
  return pow?.inputs[0] === x && scalarOf(editor, pow.inputs[1]) === 3
}
