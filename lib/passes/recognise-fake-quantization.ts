/**
 * Fake quantization that exporters spell out, of one scale and zero point, or of weights with one per channel:
 *
 *     Clip(Round(Div(x, s)), -128, 127) * s                   =>  DequantizeLinear(QuantizeLinear(x, s, 0), s, 0)
 *     (Clip(Round(x * (1 / s)) + z, 0, 255) - z) * s          =>  DequantizeLinear(QuantizeLinear(x, s, z), s, z)
 *     (Clip(Round(x / s) + z, 0, 127) - z) * s                =>  the same of Clip(x, -z * s, (127 - z) * s)
 *     the same of constant weights w                          =>  DequantizeLinear(q, s, z), q: int8
 *
 * Casts, and Max and Min in place of Clip, may be between. Levels are those of the model, as Round and QuantizeLinear both round half to
 * even; only where x is multiplied by the inverse of s may an x within one rounding of a tie take the level beside it.
 */
import type { DType } from '../graph/dtype.js'
import type { Graph, Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { scalar, tensorFromNumbers } from '../graph/tensor.js'
import { clippedLevels, type Levels, levelsOfConstant } from './fake-levels.js'

export function recogniseFakeQuantization(graph: Graph): Graph {
  if (!graph.nodes.some((node) => node.opType === 'Round')) return graph
  const editor = new GraphEditor(graph)
  for (const { name } of editor.nodes()) {
    const node = editor.node(name)
    const levels = node && clippedLevels(editor, node)
    if (node && levels) replace(editor, node, levels)
  }
  return editor.finish()
}

/** The type that holds levels from `least` to `most`, and the zero point for it; undefined: none of 8 bits. */
function typeOf({
  least,
  most,
}: Levels): { readonly dtype: 'int8' | 'uint8'; readonly zero: number } | undefined {
  if (least >= -128 && most <= 127) return { dtype: 'int8', zero: 0 }
  if (most - least > 255 || least > 0 || most < 0) return undefined
  return { dtype: 'uint8', zero: -least }
}

function replace(editor: GraphEditor, node: Node, levels: Levels): void {
  const type = typeOf(levels)
  if (!type) return
  const { dtype, zero } = type
  const weights = levelsOfConstant(editor, levels)
  if (weights) {
    const { dims, values, scales, axis } = weights
    const q = editor.addConstant(
      `${node.name}:levels`,
      tensorFromNumbers(
        dtype,
        dims,
        values.map((v) => v + zero),
      ),
    )
    const perChannel = scales.length > 1
    const shape = perChannel ? [scales.length] : []
    const s = editor.addConstant(`${node.name}:scale`, tensorFromNumbers('float32', shape, scales))
    const z = editor.addConstant(
      `${node.name}:zero`,
      tensorFromNumbers(
        dtype,
        shape,
        scales.map(() => zero),
      ),
    )
    const attributes: Node['attributes'] = perChannel ? { axis: { kind: 'int', value: axis } } : {}
    editor.update({ ...node, opType: 'DequantizeLinear', inputs: [q, s, z], attributes })
    return
  }
  const scale = levels.scale.values.length === 1 ? (levels.scale.values[0] as number) : undefined
  if (scale === undefined || editor.constant(levels.x)) return
  const s = editor.addConstant(`${node.name}:scale`, scalar('float32', scale))
  const z = editor.addConstant(`${node.name}:zero`, scalar(dtype, zero))
  const x = clipped(editor, node, levels, scale, dtype, zero)
  const q = editor.freshValue(`${node.name}:levels`)
  const name = editor.freshNode(`${node.name}:quantize`)
  editor.add({
    name,
    opType: 'QuantizeLinear',
    domain: '',
    inputs: [x, s, z],
    outputs: [q],
    attributes: {},
    origin: [node.name],
  })
  editor.update({ ...node, opType: 'DequantizeLinear', inputs: [q, s, z], attributes: {} })
}

/** x within the least and the greatest level, where the type has more of them. */
function clipped(
  editor: GraphEditor,
  node: Node,
  { x, least, most }: Levels,
  scale: number,
  dtype: DType,
  zero: number,
): string {
  const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255]
  if (least + zero === low && most + zero === high) return x
  const ends = [least, most].map((level, i) =>
    editor.addConstant(`${node.name}:${i === 0 ? 'least' : 'most'}`, scalar('float32', level * scale)),
  )
  const output = editor.freshValue(`${node.name}:clipped`)
  const name = editor.freshNode(`${node.name}:clip`)
  editor.add({
    name,
    opType: 'Clip',
    domain: '',
    inputs: [x, ...ends],
    outputs: [output],
    attributes: {},
    origin: [node.name],
  })
  return output
}
