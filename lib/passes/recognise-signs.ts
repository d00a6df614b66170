/**
 * Products of signs become integer products. Their weights are -s and s, and what they read is -a, 0 and a: Sign, or a
 * comparison that chooses between two numbers, above nodes that only move.
 *
 *     y = Sign(v), Conv(y, w)            =>  y = DequantizeLinear(QuantizeLinear(Clip(Sign(v)))), Conv(y, DequantizeLinear(w))
 *     y = Sign(Conv(x, w) - t)           =>  y = DequantizeLinear(QuantizeLinear(Clip(Conv(x, DequantizeLinear(w)) + b)))
 *
 * The second where signs are made of a product of signs, whatever stands between that is monotone: a channel's sign
 * hangs on whether its sum, an integer, reaches a threshold.
 *
 *     sum >= t: 1, else -1     rint(2 (sum - t)) + 1, from -1 to 1
 *     the sign of sum - t      rint(sum - t - 1) + 1, from -1 to 1
 */
import type { Graph, Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { scalar } from '../graph/tensor.js'
import { inferGraph } from '../ops/core/infer.js'
import type { PassContext } from './pass.js'
import { chainOf, type Threshold, thresholdOf } from './sign-chain.js'
import { type SignSource, signSource } from './sign-values.js'
import { type SignWeights, signWeights } from './sign-weights.js'

interface SignProduct {
  readonly node: Node
  readonly weights: SignWeights
  readonly source: SignSource
}

export function recogniseSigns(graph: Graph, { overrides, partial }: PassContext): Graph {
  if (!graph.nodes.some(({ opType }) => opType === 'Sign' || opType === 'Where' || opType === 'Cast'))
    return graph
  const editor = new GraphEditor(graph)
  const products = graph.nodes.flatMap((node): SignProduct[] => {
    const weights = signWeights(editor, node)
    const source = weights && signSource(editor, node.inputs[0] as string)
    return source ? [{ node, weights, source }] : []
  })
  if (products.length === 0) return graph
  const { types } = inferGraph(graph, { overrides, partial })
  const signs = new Map(products.map(({ source }) => [source.value, source.magnitude]))
  for (const product of products) {
    const name = product.node.outputs[0] as string
    const rank = types.get(name)?.shape?.length
    const fused = rank !== undefined && fuse(editor, product, rank, signs, types)
    if (!fused) quantizeWeights(editor, product)
  }
  for (const [value, magnitude] of signs) quantizeSigns(editor, value, magnitude)
  return editor.finish()
}

/** Signs made of the product: it makes their levels. */
function fuse(
  editor: GraphEditor,
  { node, weights, source }: SignProduct,
  rank: number,
  signs: Map<string, number>,
  types: ReturnType<typeof inferGraph>['types'],
): boolean {
  const axis = node.opType === 'Conv' ? 1 : rank - 1
  const start = node.outputs[0] as string
  for (const [end, magnitude] of signs) {
    const chain = chainOf(editor, types, start, end, axis, weights.channels)
    if (!chain) continue
    const unit = (c: number) => Math.fround(source.magnitude * weights.scaleOf(c))
    const thresholds = Array.from({ length: weights.channels }, (_, c) =>
      thresholdOf((sum) => {
        const product = Math.fround(Math.fround(sum * unit(c)) + weights.biasOf(c))
        return chain.links.reduce((value, link) => link(value, c), product) / magnitude
      }, weights.depth),
    )
    if (!thresholds.every((t) => t !== undefined)) return false
    for (const { name } of chain.nodes) {
      const between = editor.node(name)
      if (between) editor.remove(between)
    }
    signs.delete(end)
    const origin = chain.nodes.flatMap(({ name, origin: own }) => own ?? [name])
    writeLevels(editor, { node, weights, source }, thresholds, { value: end, magnitude }, origin)
    return true
  }
  return false
}

function writeLevels(
  editor: GraphEditor,
  { node, weights, source }: SignProduct,
  thresholds: readonly Threshold[],
  { value, magnitude }: SignSource,
  origin: readonly string[],
): void {
  const factors = thresholds.map(({ hasZero }) => (hasZero ? 1 : 2))
  const biases = thresholds.map(({ above }, c) => -above * (factors[c] as number) * source.magnitude)
  const w = weights.write(
    editor,
    factors,
    thresholds.map(({ direction }) => direction),
  )
  const bias = weights.writeBias(editor, biases)
  const sums = editor.freshValue(`${node.name}:sums`)
  const { rest } = bias
  const product = rest === undefined ? sums : editor.freshValue(`${node.name}:product`)
  editor.update({ ...node, inputs: [node.inputs[0] as string, w, ...bias.inputs], outputs: [product] })
  if (rest !== undefined) add(editor, `${node.name}:thresholds`, 'Add', [product, rest], sums, origin)
  const unit = editor.addConstant(`${node.name}:unit`, scalar('float32', source.magnitude))
  const ends = [-2 * source.magnitude, 0]
  writeQuantized(editor, { name: node.name, origin }, sums, ends, [unit, 1], magnitude, value)
}

function quantizeWeights(editor: GraphEditor, { node, weights }: SignProduct): void {
  if (weights.isQuantized) return
  const channels = Array.from({ length: weights.channels }, (_, c) => c)
  const w = weights.write(
    editor,
    channels.map((c) => weights.scaleOf(c)),
    channels.map(() => 1),
  )
  const current = editor.node(node.name) ?? node
  editor.update({ ...current, inputs: current.inputs.map((name, i) => (i === 1 ? w : name)) })
}

function quantizeSigns(editor: GraphEditor, value: string, magnitude: number): void {
  const name = editor.producer(value)?.name ?? value
  const levels = editor.freshValue(`${value}:signs`)
  editor.redirect(value, levels)
  const scale = editor.addConstant(`${value}:scale`, scalar('float32', magnitude))
  writeQuantized(
    editor,
    { name, origin: [name] },
    value,
    [-magnitude, magnitude],
    [scale, 0],
    magnitude,
    levels,
  )
}

/** output = DequantizeLinear(QuantizeLinear(Clip(from))): with one zero point where levels are made, 0 where they are read. */
function writeQuantized(
  editor: GraphEditor,
  { name, origin }: Pick<Node, 'name'> & { readonly origin: readonly string[] },
  from: string,
  ends: readonly number[],
  [scale, zero]: readonly [string, number],
  magnitude: number,
  output: string,
): void {
  const bounds = ends.map((end) => editor.addConstant(`${name}:end`, scalar('float32', end)))
  const zeroPoint = editor.addConstant(`${name}:zero`, scalar('int8', zero))
  const clipped = editor.freshValue(`${name}:clipped`)
  const levels = editor.freshValue(`${name}:levels`)
  add(editor, `${name}:clip`, 'Clip', [from, ...bounds], clipped, origin)
  add(editor, `${name}:quantize`, 'QuantizeLinear', [clipped, scale, zeroPoint], levels, origin)
  const own = editor.addConstant(`${name}:magnitude`, scalar('float32', magnitude))
  const none = editor.addConstant(`${name}:zero`, scalar('int8', 0))
  add(editor, `${name}:dequantize`, 'DequantizeLinear', [levels, own, none], output, origin)
}

function add(
  editor: GraphEditor,
  base: string,
  opType: string,
  inputs: readonly string[],
  output: string,
  origin: readonly string[],
): void {
  const name = editor.freshNode(base)
  editor.add({ name, opType, domain: '', inputs, outputs: [output], attributes: {}, origin })
}
