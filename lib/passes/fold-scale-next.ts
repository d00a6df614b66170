/**
 * A scale or shift per input channel goes into the products after it:
 *
 *     Mul(x, k) -> Conv(w)                            =>  Conv(x, w * k)
 *     Add(x, c) -> Conv(w, b), which pads nothing     =>  Conv(x, w, b + sum(w * c))
 *     BatchNormalization(x) -> Reshape -> Gemm(w, b)  =>  Reshape(x) -> Gemm(w * k, b + sum(w * c))
 *
 * also for ConvTranspose (a scale alone) and MatMul, past what a scale can be carried through, where all readers can take it.
 * The arithmetic is written as nodes on constants, which folding evaluates on the engine.
 *
 * x is then what a quantizer gives one scale, instead of k * x + c. So nothing is folded that makes channels alike which differ by
 * much (`MAX_RATIO`), and no shift of what is fed: standardization of a model's inputs stays.
 */
import type { Graph, Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { inferGraph } from '../ops/core/infer.js'
import { type Affine, affineOf, mayBeAffine, ratioOf } from './affine.js'
import { carries, carryDown } from './carry.js'
import {
  type InputChannels,
  inputChannels,
  isProduct,
  type Work,
  withFactor,
  withOffset,
} from './input-channels.js'
import type { PassContext } from './pass.js'
import type { Spread } from './spread.js'

/** Factors of the channels of one value, the largest over the smallest: at most 2 of 8 bits are lost. */
const MAX_RATIO = 4

export function foldScaleNext(graph: Graph, { overrides, partial }: PassContext): Graph {
  const editor = new GraphEditor(graph)
  let work: Work | undefined
  // From the end on: what is left of a chain is next to its product.
  for (const { name } of [...editor.nodes()].reverse()) {
    const node = editor.node(name)
    if (!node || !mayBeAffine(editor, node) || !leadsOn(editor, node)) continue
    work ??= { editor, types: inferGraph(graph, { overrides, partial }).types, derived: new Map() }
    const output = node.outputs[0] as string
    const affine = affineOf(editor, node, work.types)
    if (!affine || !isHarmless(editor, affine)) continue
    const takers = takersOf(work, output, affine)
    if (!takers) continue
    editor.redirect(output, affine.x)
    editor.remove(node)
    for (const taker of takers) take(work, taker, node)
  }
  return editor.finish()
}

/** Every reader is a product, or something that constants can be carried past. */
function leadsOn(editor: GraphEditor, node: Node): boolean {
  return editor.readers(node.outputs[0] as string).every((reader) => isProduct(reader) || carries(reader))
}

function isHarmless(editor: GraphEditor, { x, factor, offset }: Affine): boolean {
  if (factor && ratioOf(factor) > MAX_RATIO) return false
  const producer = editor.producer(x)
  // What is added to a MatMul is its bias: it costs nothing where it is.
  return offset === undefined || (producer !== undefined && producer.opType !== 'MatMul')
}

/** A product, and what its input channels are multiplied with and shifted by. */
interface Taker {
  readonly node: Node
  readonly channels: InputChannels
  readonly factor: Spread | undefined
  readonly offset: Spread | undefined
}

type Parts = Pick<Affine, 'factor' | 'offset'>

/** The products that every reader of a value leads to; undefined where one leads to something else. */
function takersOf(work: Work, value: string, { factor, offset }: Parts): Taker[] | undefined {
  const { editor, types } = work
  const readers = editor.readers(value)
  if (readers.length === 0 || editor.isOutput(value)) return undefined
  const takers: Taker[] = []
  for (const node of readers) {
    if (node.inputs[0] !== value || node.inputs.indexOf(value, 1) >= 0 || node.captures?.includes(value))
      return undefined
    const channels = inputChannels(work, node)
    if (channels) {
      const fits = (spread?: Spread) => spread === undefined || channels.fits(spread)
      if (!fits(factor) || !fits(offset) || (offset && !channels.takesOffset)) return undefined
      takers.push({ node, channels, factor, offset })
      continue
    }
    const carry = (spread: Spread | undefined, part: 'factor' | 'offset') =>
      spread && carryDown(editor, node, spread, part, types)
    const [k, c] = [carry(factor, 'factor'), carry(offset, 'offset')]
    if ((factor && !k) || (offset && !c)) return undefined
    const inner = takersOf(work, node.outputs[0] as string, { factor: k, offset: c })
    if (!inner) return undefined
    takers.push(...inner)
  }
  return takers
}

/** The shift first: its sum is that of the weights times k. */
function take(work: Work, { node, channels, factor, offset }: Taker, from: Node): void {
  const base = `${node.name}:${from.name}`
  if (offset) withOffset(work, node.name, channels, offset, base)
  if (factor) withFactor(work, node.name, channels, factor, base)
}
