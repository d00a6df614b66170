/**
 * Normalization over the last axis, from the means, roots and quotients that exporters write:
 *
 *     d = x - Mean(x), d / Sqrt(Mean(d ^ 2) + epsilon) * scale + bias  =>  LayerNormalization(x, scale, bias)
 *     x / Sqrt(Mean(x ^ 2) + epsilon) * scale                          =>  RMSNormalization(x, scale)
 */
import { type Graph, intAttribute, type Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { elementCount, firstNumber } from '../graph/tensor.js'
import { producedBy, scalarOf } from './product.js'

export function recogniseLayerNorm(graph: Graph): Graph {
  if (!graph.nodes.some((node) => node.opType === 'ReduceMean')) return graph
  const editor = new GraphEditor(graph)
  for (const node of editor.nodes()) {
    if (node.opType !== 'Mul' || node.domain !== '' || editor.node(node.name) !== node) continue
    const found =
      normalized(editor, node.inputs[0], node.inputs[1]) ?? normalized(editor, node.inputs[1], node.inputs[0])
    if (found) replace(editor, node, found)
  }
  return editor.finish()
}

interface Normalized {
  readonly x: string
  readonly scale: string
  readonly epsilon: number
  readonly rms: boolean
}

/** value = (x - mean) / deviation or x / root mean square, where `scale` is a vector. */
function normalized(
  editor: GraphEditor,
  value: string | undefined,
  scale: string | undefined,
): Normalized | undefined {
  const vector = scale === undefined ? undefined : editor.constant(scale)
  if (scale === undefined || vector?.dtype !== 'float32' || vector.dims.length !== 1) return undefined
  const quotient = quotientOf(editor, value)
  if (!quotient) return undefined
  const { dividend, divisor } = quotient
  const inside = producedBy(editor, producedBy(editor, divisor, 'Sqrt')?.inputs[0], 'Add')
  const [mean, epsilon] = sumWithScalar(editor, inside)
  const square = squareOf(editor, meanOf(editor, mean))
  if (epsilon === undefined || square === undefined) return undefined
  if (sameValue(editor, square, dividend)) {
    const x = centredOf(editor, dividend)
    return x === undefined ? { x: dividend, scale, epsilon, rms: true } : { x, scale, epsilon, rms: false }
  }
  return undefined
}

function quotientOf(editor: GraphEditor, value: string | undefined) {
  const div = producedBy(editor, value, 'Div')
  if (div) return { dividend: div.inputs[0] as string, divisor: div.inputs[1] as string }
  const [a, b] = producedBy(editor, value, 'Mul')?.inputs ?? []
  for (const [dividend, inverse] of [
    [a, b],
    [b, a],
  ]) {
    const divisor = producedBy(editor, inverse, 'Reciprocal')?.inputs[0] ?? oneOver(editor, inverse)
    if (dividend !== undefined && divisor !== undefined) return { dividend, divisor }
  }
  return undefined
}

function oneOver(editor: GraphEditor, value: string | undefined): string | undefined {
  const div = producedBy(editor, value, 'Div')
  return scalarOf(editor, div?.inputs[0]) === 1 ? div?.inputs[1] : undefined
}

function sumWithScalar(editor: GraphEditor, add: Node | undefined): [string | undefined, number | undefined] {
  const [a, b] = add?.inputs ?? []
  const right = scalarOf(editor, b)
  return right === undefined ? [b, scalarOf(editor, a)] : [a, right]
}

/** What a ReduceMean over the last axis, which stays as 1, takes the mean of. */
function meanOf(editor: GraphEditor, value: string | undefined): string | undefined {
  const node = producedBy(editor, value, 'ReduceMean')
  const axes = editor.constant(node?.inputs[1] ?? '')
  if (!node || !axes || elementCount(axes.dims) !== 1 || intAttribute(node, 'keepdims', 1) !== 1)
    return undefined
  const x = node.inputs[0] as string
  const rank = editor.type(x)?.shape?.length
  const axis = firstNumber(axes)
  return axis === -1 || (rank !== undefined && axis === rank - 1) ? x : undefined
}

function squareOf(editor: GraphEditor, value: string | undefined): string | undefined {
  const pow = producedBy(editor, value, 'Pow')
  if (pow) return scalarOf(editor, pow.inputs[1]) === 2 ? pow.inputs[0] : undefined
  const [a, b] = producedBy(editor, value, 'Mul')?.inputs ?? []
  return a === b ? a : undefined
}

/** x of x - mean(x). */
function centredOf(editor: GraphEditor, value: string): string | undefined {
  const [x, mean] = producedBy(editor, value, 'Sub')?.inputs ?? []
  return x !== undefined && meanOf(editor, mean) === x ? x : undefined
}

/** True for one value, and for two differences of the same operands: some exporters write x - mean twice. */
function sameValue(editor: GraphEditor, a: string, b: string): boolean {
  if (a === b) return true
  const [p, q] = [producedBy(editor, a, 'Sub'), producedBy(editor, b, 'Sub')]
  return p !== undefined && q !== undefined && p.inputs.every((name, i) => name === q.inputs[i])
}

/** The Mul becomes the normalization, together with an Add of a vector that alone reads it. */
function replace(editor: GraphEditor, node: Node, { x, scale, epsilon, rms }: Normalized): void {
  const attributes = {
    axis: { kind: 'int', value: -1 },
    epsilon: { kind: 'float', value: epsilon },
  } as const
  if (rms) {
    editor.update({ ...node, opType: 'RMSNormalization', inputs: [x, scale], attributes })
    return
  }
  const output = node.outputs[0] as string
  const next = editor.soleReader(output)
  const bias = next?.inputs.find((name) => name !== output)
  const add = next?.opType === 'Add' && next.domain === '' && editor.constant(bias ?? '')?.dims.length === 1
  if (!add || bias === undefined) {
    editor.update({ ...node, opType: 'LayerNormalization', inputs: [x, scale], attributes })
    return
  }
  editor.remove(node)
  editor.update({ ...next, opType: 'LayerNormalization', inputs: [x, scale, bias], attributes })
}
