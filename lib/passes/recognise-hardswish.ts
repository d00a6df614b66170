/**
 * HardSwish, as MobileNetV3 is exported:
 *
 *     x * HardSigmoid(x) {alpha=1/6, beta=0.5}  =>  HardSwish(x)
 *     x * Clip(x + 3, 0, 6) / 6                 =>  HardSwish(x)
 */
import { floatAttribute, type Graph } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import { near, plusConstant, producedBy, replaceProducts, scalarOf } from './product.js'

export function recogniseHardSwish(graph: Graph): Graph {
  return replaceProducts(graph, (editor, constant, x, other) => {
    const found =
      (near(constant, 1) && isHardSigmoid(editor, x, other)) ||
      (near(constant, 1 / 6) && isClippedSum(editor, x, other))
    return found ? { opType: 'HardSwish', attributes: {} } : undefined
  })
}

/** HardSigmoid(x) with the slope and offset of HardSwish. */
function isHardSigmoid(editor: GraphEditor, x: string, value: string): boolean {
  const node = producedBy(editor, value, 'HardSigmoid')
  if (node?.inputs[0] !== x) return false
  return near(floatAttribute(node, 'alpha', 0.2), 1 / 6) && near(floatAttribute(node, 'beta', 0.5), 0.5)
}

/** Clip(x + 3, 0, 6) */
function isClippedSum(editor: GraphEditor, x: string, value: string): boolean {
  const clip = producedBy(editor, value, 'Clip')
  if (scalarOf(editor, clip?.inputs[1]) !== 0 || scalarOf(editor, clip?.inputs[2]) !== 6) return false
  return plusConstant(editor, clip?.inputs[0], 3) === x
}
