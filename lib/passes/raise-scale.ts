/**
 * A scale or shift moves up to the product that it can be folded into:
 *
 *     Conv -> Relu -> Mul(k > 0)              =>  Conv -> Mul(k) -> Relu
 *     Conv -> Squeeze -> Add(c)               =>  Conv -> Add(c) -> Squeeze
 *     Conv -> Relu -> BatchNormalization      =>  Conv -> Mul(k) -> Relu -> Add(c)
 *     Conv -> Div(k), Conv -> Sub(c)          =>  Conv -> Mul(1 / k), Conv -> Add(-c)
 *
 * past nodes that only move, Relu and its kin, pools, Pad with zeros, Resize. Weights with a scale per output channel hold any
 * factors of their channels, so that nothing is lost where the product is quantized.
 */
import type { Graph, Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { type Inference, inferGraph } from '../ops/core/infer.js'
import { type Affine, affineOf, mayBeAffine, shapeOf } from './affine.js'
import { carries, carryUp, type Part } from './carry.js'
import { channelAxis } from './fold-scale.js'
import type { PassContext } from './pass.js'
import { alongAxis, constantOf, type Spread, spreadAlong } from './spread.js'

export function raiseScale(graph: Graph, { overrides, partial }: PassContext): Graph {
  const editor = new GraphEditor(graph)
  let types: Types | undefined
  for (const { name } of editor.nodes()) {
    const node = editor.node(name)
    if (!node || !mayRise(editor, node)) continue
    types ??= new Map(inferGraph(graph, { overrides, partial }).types)
    raise(editor, types, node)
  }
  return editor.finish()
}

/** Constants after something that they can be carried past, or in a form that foldScale does not know. */
function mayRise(editor: GraphEditor, node: Node): boolean {
  if (!mayBeAffine(editor, node)) return false
  const before = node.inputs.map((name) => editor.producer(name)).find((producer) => producer !== undefined)
  return before !== undefined && (carries(before) || node.opType === 'Div' || node.opType === 'Sub')
}

type Types = Map<string, Inference['types'] extends ReadonlyMap<string, infer T> ? T : never>

/** Where constants go: the value that they apply to, after a product, and what they are there. */
interface Place {
  readonly value: string
  readonly spread: Spread
}

function raise(editor: GraphEditor, types: Types, node: Node): void {
  const affine = affineOf(editor, node, types)
  if (!affine) return
  if (endsProduct(editor, affine.x)) {
    // What follows a product directly is what foldScale looks for.
    if (node.opType === 'Div' || node.opType === 'Sub') normalize(editor, node, affine)
    return
  }
  const place = (part: Part) => {
    const spread = affine[part]
    return spread && placeOf(editor, types, affine.x, spread, part)
  }
  const [factor, offset] = [place('factor'), place('offset')]
  if (affine.factor && !factor) return
  if (affine.offset && !offset && !factor) return
  const x = affine.x
  if (factor) insert(editor, types, factor, 'Mul', node.name)
  // The factor has taken the place right after the product; the shift comes after it.
  if (offset && !factor) insert(editor, types, offset, 'Add', node.name)
  else if (affine.offset) {
    const above = offset && placeOf(editor, types, x, affine.offset, 'offset')
    if (!above) {
      normalize(editor, node, { x, offset: affine.offset })
      return
    }
    insert(editor, types, above, 'Add', node.name)
  }
  editor.remove(node)
  editor.redirect(node.outputs[0] as string, x)
}

/** The value comes out of a product, or of a scale or shift that foldScale takes into one. */
function endsProduct(editor: GraphEditor, value: string): boolean {
  const node = editor.producer(value)
  if (!node || editor.soleReader(value) === undefined) return false
  if (channelAxis(node) !== undefined) return editor.constant(node.inputs[1] ?? '') !== undefined
  if (node.domain !== '' || (node.opType !== 'Mul' && node.opType !== 'Add')) return false
  const [a = '', b = ''] = node.inputs
  return editor.constant(a)
    ? endsProduct(editor, b)
    : editor.constant(b) !== undefined && endsProduct(editor, a)
}

/** Climbs to the product through nodes that have no other reader. */
function placeOf(
  editor: GraphEditor,
  types: Types,
  from: string,
  given: Spread,
  part: Part,
): Place | undefined {
  let [value, spread] = [from, given]
  for (let first = true; ; first = false) {
    if (!first && endsProduct(editor, value)) {
      const [shape, size] = [shapeOf(types, value), shapeOf(types, value)?.[1]]
      const vector = typeof size === 'number' ? alongAxis(spread, 1, size) : undefined
      return vector && shape ? { value, spread: spreadAlong(vector, 1, shape.length) } : undefined
    }
    const node = editor.producer(value)
    if (!node || editor.soleReader(value) === undefined) return undefined
    const above = carryUp(editor, node, spread, part, types)
    if (!above) return undefined
    ;[value, spread] = [node.inputs[0] as string, above]
  }
}

/** A node of constants between a value and its only reader. */
function insert(
  editor: GraphEditor,
  types: Types,
  { value, spread }: Place,
  opType: 'Mul' | 'Add',
  base: string,
): void {
  const reader = editor.soleReader(value) as Node
  const output = editor.freshValue(`${base}:raised`)
  const constant = editor.addConstant(`${base}:${opType === 'Mul' ? 'factor' : 'offset'}`, constantOf(spread))
  const type = types.get(value)
  if (type) types.set(output, type)
  const name = editor.freshNode(`${base}:${opType}`)
  editor.update({ ...reader, inputs: reader.inputs.map((input) => (input === value ? output : input)) })
  editor.add({
    name,
    opType,
    domain: '',
    inputs: [value, constant],
    outputs: [output],
    attributes: {},
    origin: [base],
  })
}

/** The node as a Mul or an Add of what it does. */
function normalize(editor: GraphEditor, node: Node, { x, factor, offset }: Affine): void {
  const [opType, part] = factor ? (['Mul', factor] as const) : (['Add', offset as Spread] as const)
  const constant = editor.addConstant(
    `${node.name}:${opType === 'Mul' ? 'factor' : 'offset'}`,
    constantOf(part),
  )
  editor.update({ ...node, opType, inputs: [x, constant], attributes: {}, outputs: node.outputs.slice(0, 1) })
}
