/**
 * Levels that are clipped after they are quantized, as Brevitas writes fewer of them than the type has (QCDQ):
 *
 *     Clip(QuantizeLinear(x, s, z), l, h)  =>  QuantizeLinear(Clip(x, (l - z) * s, (h - z) * s), s, z)
 *
 * QuantizeLinear is monotonic, and the bounds are what it rounds to l and h: no level changes. A Clip before it is a bound
 * of the step that quantizes.
 */
import type { Graph, Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { elementCount, firstNumber, scalar } from '../graph/tensor.js'

export function clipOfLevels(graph: Graph): Graph {
  if (!graph.nodes.some((node) => node.opType === 'QuantizeLinear')) return graph
  const editor = new GraphEditor(graph)
  for (const { name } of editor.nodes()) {
    const node = editor.node(name)
    if (node?.opType === 'Clip' && node.domain === '') raise(editor, node)
  }
  return editor.finish()
}

function raise(editor: GraphEditor, clip: Node): void {
  const [levels = '', ...bounds] = clip.inputs
  const quantize = editor.producer(levels)
  if (quantize?.opType !== 'QuantizeLinear' || editor.soleReader(levels) !== clip) return
  const [x = '', s = '', z = ''] = quantize.inputs
  const scale = numberOf(editor, s)
  const zero = z === '' ? 0 : numberOf(editor, z)
  // Of constants the levels are folded.
  if (scale === undefined || zero === undefined || !(scale > 0) || editor.constant(x)) return
  const ends: string[] = []
  for (const [i, bound] of bounds.entries()) {
    const level = bound === '' ? undefined : numberOf(editor, bound)
    if (bound !== '' && level === undefined) return
    const name = `${clip.name}:${i === 0 ? 'least' : 'most'}`
    const end = level === undefined ? '' : editor.addConstant(name, scalar('float32', (level - zero) * scale))
    ends.push(end)
  }
  const clipped = editor.freshValue(`${clip.name}:clipped`)
  const name = editor.freshNode(`${clip.name}:clip`)
  editor.remove(quantize)
  editor.add({ ...clip, name, inputs: [x, ...ends], outputs: [clipped], origin: [clip.name] })
  editor.update({
    ...quantize,
    name: clip.name,
    inputs: [clipped, s, z].slice(0, quantize.inputs.length),
    outputs: clip.outputs,
  })
}

/** The value of a constant of one element. */
function numberOf(editor: GraphEditor, value: string): number | undefined {
  const constant = editor.constant(value)
  return constant && elementCount(constant.dims) === 1 ? firstNumber(constant) : undefined
}
