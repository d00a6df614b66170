/**
 * Normalizations, from the means, roots and quotients that exporters write, over any axes, with the affine part after them:
 *
 *     d = x - Mean(x), d / Sqrt(Mean(d ^ 2) + epsilon) * scale + bias  =>  LayerNormalization(x, scale, bias)
 *     the same over axis 1 of [N, C, H, W]                             =>  Transpose -> LayerNormalization -> Transpose
 *     the same over axes 2 and 3, scale per channel                    =>  InstanceNormalization(x, scale, bias)
 *     x / Sqrt(Mean(x ^ 2) + epsilon) * scale                          =>  RMSNormalization(x, scale)
 *     x / ReduceL2(x)                                                  =>  RMSNormalization(x, 1 / sqrt(n))
 *
 * A mean may be a sum over n or GlobalAveragePool, a square Pow or Mul, the root's inverse Reciprocal, Pow or 1 / root; scale may be
 * on the inverse root, and x * k + (bias - mean * k) is TensorFlow's form. An epsilon outside the root has no node: it stays.
 */
import type { Graph, Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { inferGraph } from '../ops/core/infer.js'
import { type InverseRoot, inverseRootOf, isSame, type Look, meanOf, rootOf } from './moments.js'
import { emitNorm, type Norm } from './norm-node.js'
import type { PassContext } from './pass.js'
import { producedBy } from './product.js'

export function recogniseNorm(graph: Graph, { overrides, partial, selection }: PassContext): Graph {
  if (
    !graph.nodes.some((node) =>
      /^(ReduceMean|ReduceSum|ReduceSumSquare|ReduceL2|GlobalAveragePool)$/.test(node.opType),
    )
  )
    return graph
  const editor = new GraphEditor(graph)
  const look: Look = { editor, types: inferGraph(graph, { overrides, partial }).types }
  for (const { name } of editor.nodes()) {
    const node = editor.node(name)
    const norm = node && normOf(look, node)
    if (!norm) continue
    const whole = withAffine(look, norm)
    const [most, least] =
      selection === 'training' ? [asTrained(look, whole), asTrained(look, norm)] : [whole, norm]
    if (most === undefined || !emitNorm(look, most)) if (least) emitNorm(look, least)
  }
  return editor.finish()
}

/** Under training a constant that is not read by its own name would be another weight. */
function asTrained({ editor }: Look, norm: Norm): Norm | undefined {
  const keeps = [norm.scale, norm.bias].every(
    (name) => name === undefined || editor.constant(name)?.dims.length === 1,
  )
  return keeps && norm.axes.length === 1 && norm.factor === 1 ? norm : undefined
}

function normOf(look: Look, node: Node): Norm | undefined {
  if (node.domain !== '') return undefined
  const [a = '', b = ''] = node.inputs
  switch (node.opType) {
    case 'Div':
      return quotient(look, node, a, rootOf(look, b))
    case 'Mul':
      return product(look, node, a, b) ?? product(look, node, b, a)
    case 'Add':
      return shifted(look, node, a, b) ?? shifted(look, node, b, a)
    case 'Sub':
      return shiftedBack(look, node, a, b)
    default:
      return undefined
  }
}

/** dividend / root, where the root is that of the same value. */
function quotient(
  look: Look,
  node: Node,
  dividend: string,
  root: InverseRoot | undefined,
  scale?: string,
): Norm | undefined {
  if (!root || !isSame(look.editor, dividend, root.of)) return undefined
  const { axes, factor, epsilon } = root
  const x = centredOf(look, root.of, axes)
  const common = { nodes: [node], axes, factor, epsilon, scale, bias: undefined }
  return x === undefined ? { ...common, x: root.of, rms: true } : { ...common, x, rms: false }
}

/** dividend * inverse, or dividend * (inverse * scale). */
function product(look: Look, node: Node, dividend: string, value: string): Norm | undefined {
  const { root, scale } = scaledRoot(look, value)
  return quotient(look, node, dividend, root, scale)
}

function scaledRoot(
  look: Look,
  value: string,
): { readonly root: InverseRoot | undefined; readonly scale?: string } {
  const root = inverseRootOf(look, value)
  const [a = '', b = ''] = root ? [] : (producedBy(look.editor, value, 'Mul')?.inputs ?? [])
  if (look.editor.constant(b)) return { root: inverseRootOf(look, a), scale: b }
  return look.editor.constant(a) ? { root: inverseRootOf(look, b), scale: a } : { root }
}

/** x of x - mean(x), over the same axes. */
function centredOf(look: Look, value: string, axes: readonly number[]): string | undefined {
  const [x, mean] = producedBy(look.editor, value, 'Sub')?.inputs ?? []
  return x !== undefined && isMeanOf(look, mean, x, axes) ? x : undefined
}

function isMeanOf(look: Look, value: string | undefined, x: string, axes: readonly number[]): boolean {
  const mean = meanOf(look, value)
  return mean?.of === x && Math.abs(mean.factor - 1) < 1e-6 && String(mean.axes) === String(axes)
}

/** x * k + (bias - mean * k) */
function shifted(look: Look, node: Node, left: string, right: string): Norm | undefined {
  const sub = producedBy(look.editor, right, 'Sub')
  const bias = sub?.inputs[0] ?? ''
  if (!sub || !look.editor.constant(bias)) return undefined
  const norm = difference(look, node, left, sub.inputs[1])
  return norm && { ...norm, bias }
}

/** x * k - mean * k */
function shiftedBack(look: Look, node: Node, left: string, right: string): Norm | undefined {
  return difference(look, node, left, right)
}

function difference(look: Look, node: Node, left: string, right: string | undefined): Norm | undefined {
  const [p, q] = [producedBy(look.editor, left, 'Mul')?.inputs, producedBy(look.editor, right, 'Mul')?.inputs]
  const k = p?.find((name) => q?.includes(name))
  if (!p || !q || k === undefined) return undefined
  const { root, scale } = scaledRoot(look, k)
  const [x, mean] = [p, q].map((inputs) => (inputs[0] === k ? inputs[1] : inputs[0]))
  if (!root || x === undefined || !isMeanOf(look, mean, x, root.axes)) return undefined
  if (centredOf(look, root.of, root.axes) !== x) return undefined
  const { axes, factor, epsilon } = root
  return { nodes: [node], x, axes, factor, epsilon, scale, bias: undefined, rms: false }
}

/** With the Mul and the Add of constants that alone read what comes before them. */
function withAffine({ editor }: Look, norm: Norm): Norm {
  let { nodes, scale, bias } = norm
  const next = (opType: string) => {
    const output = nodes.at(-1)?.outputs[0] as string
    const reader = editor.soleReader(output)
    const other = reader?.inputs.find((name) => name !== output) ?? ''
    return reader?.opType === opType && reader.domain === '' && editor.constant(other)
      ? { reader, other }
      : undefined
  }
  const mul = scale === undefined && bias === undefined ? next('Mul') : undefined
  if (mul) [nodes, scale] = [[...nodes, mul.reader], mul.other]
  const add = bias === undefined && !norm.rms ? next('Add') : undefined
  if (add) [nodes, bias] = [[...nodes, add.reader], add.other]
  return { ...norm, nodes, scale, bias }
}
