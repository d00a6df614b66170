/**
 * A scale or shift per column of what is looked up goes into the table:
 *
 *     Add(Mul(Gather(table, ids), k), c)  =>  Gather(table * k + c, ids)
 *
 * The arithmetic is written as nodes on constants, which folding evaluates on the engine.
 */
import type { Graph, Node } from '../graph/graph.js'
import { intAttribute } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { type Inference, inferGraph } from '../ops/core/infer.js'
import { affineOf, mayBeAffine } from './affine.js'
import type { PassContext } from './pass.js'
import { alongAxis, constantOf, type Spread } from './spread.js'

export function foldIntoTable(graph: Graph, { overrides, partial }: PassContext): Graph {
  if (!graph.nodes.some((node) => node.opType === 'Gather')) return graph
  const editor = new GraphEditor(graph)
  let types: Inference['types'] | undefined
  for (const gather of graph.nodes) {
    const [table = '', ids = ''] = gather.inputs
    const tensor = editor.constant(table)
    const isTable =
      gather.opType === 'Gather' && gather.domain === '' && intAttribute(gather, 'axis', 0) === 0
    if (!isTable || tensor?.dtype !== 'float32' || tensor.dims.length !== 2 || editor.constant(ids)) continue
    if (editor.readers(table).length !== 1) continue
    const columns = tensor.dims[1] as number
    for (;;) {
      const lookup = editor.node(gather.name) as Node
      const next = editor.soleReader(lookup.outputs[0] as string)
      if (!next || !mayBeAffine(editor, next)) break
      types ??= inferGraph(graph, { overrides, partial }).types
      const affine = affineOf(editor, next, types)
      if (!affine || affine.x !== lookup.outputs[0]) break
      const row = (spread?: Spread) => spread && alongAxis(spread, spread.dims.length - 1, columns)
      const [factor, offset] = [row(affine.factor), row(affine.offset)]
      if ((affine.factor && !factor) || (affine.offset && !offset)) break
      let folded = lookup.inputs[0] as string
      if (factor) folded = emit(editor, 'Mul', folded, factor, next.name)
      if (offset) folded = emit(editor, 'Add', folded, offset, next.name)
      const origin = [...(lookup.origin ?? [lookup.name]), ...(next.origin ?? [next.name])]
      editor.remove(next)
      editor.update({ ...lookup, inputs: [folded, ids], outputs: [next.outputs[0] as string], origin })
    }
  }
  return editor.finish()
}

function emit(
  editor: GraphEditor,
  opType: 'Mul' | 'Add',
  table: string,
  row: Float32Array,
  base: string,
): string {
  const part = opType === 'Mul' ? 'factor' : 'offset'
  const constant = editor.addConstant(`${base}:${part}`, constantOf({ dims: [row.length], values: row }))
  const output = editor.freshValue(`${base}:table`)
  editor.add({
    name: editor.freshNode(`${base}:${opType}`),
    opType,
    domain: '',
    inputs: [table, constant],
    outputs: [output],
    attributes: {},
  })
  return output
}
