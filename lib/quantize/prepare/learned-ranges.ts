/**
 * Fake quantization that a model was trained with, as preparation found it: QuantizeLinear and DequantizeLinear of a float
 * value. A Clip takes their place, and the value keeps the range that was learned: its scale in the file is the one of the training.
 */
import { FORMATS, type QuantizedDType } from '../../graph/format.js'
import type { Graph, Node } from '../../graph/graph.js'
import { GraphEditor } from '../../graph/rewrite.js'
import { elementCount, firstNumber, scalar } from '../../graph/tensor.js'
import type { Range } from '../../statistics/summary.js'

interface Learned {
  readonly graph: Graph
  /** The real numbers of the first and the last level, by the name of the value. */
  readonly ranges: ReadonlyMap<string, Range>
}

export function withoutFakeQuantization(graph: Graph): Learned {
  const ranges = new Map<string, Range>()
  if (!graph.nodes.some((node) => node.opType === 'QuantizeLinear')) return { graph, ranges }
  const editor = new GraphEditor(graph)
  for (const node of editor.nodes()) {
    const quantize = node.opType === 'DequantizeLinear' ? editor.producer(node.inputs[0] ?? '') : undefined
    const range = quantize && rangeOf(editor, quantize, node)
    if (!quantize || !range) continue
    const ends = range.map((end, i) =>
      editor.addConstant(`${node.name}:${i === 0 ? 'low' : 'high'}`, scalar('float32', end)),
    )
    const [value = '', x = ''] = [node.outputs[0], quantize.inputs[0]]
    editor.update({ ...node, opType: 'Clip', inputs: [x, ...ends], attributes: {} })
    ranges.set(value, range)
  }
  return { graph: editor.finish(), ranges }
}

/** The range of a pair with one scale and zero point. */
function rangeOf(editor: GraphEditor, quantize: Node, dequantize: Node): Range | undefined {
  const [, scale = '', zero = ''] = quantize.inputs
  const [s, z] = [editor.constant(scale), editor.constant(zero)]
  const same =
    quantize.opType === 'QuantizeLinear' && dequantize.inputs[1] === scale && dequantize.inputs[2] === zero
  if (!same || !s || !z || elementCount(s.dims) !== 1) return undefined
  const { qmin, qmax } = FORMATS[z.dtype as QuantizedDType]
  const [step, offset] = [firstNumber(s) as number, firstNumber(z) as number]
  return [(qmin - offset) * step, (qmax - offset) * step]
}
