/**
 * Swish (SiLU), as PyTorch and Ultralytics models write it:
 *
 *     x * Sigmoid(x)  =>  Swish(x)
 */
import type { Graph } from '../graph/graph.js'
import { near, producedBy, replaceProducts } from './product.js'

export function recogniseSwish(graph: Graph): Graph {
  return replaceProducts(graph, (editor, constant, x, other) =>
    near(constant, 1) && producedBy(editor, other, 'Sigmoid')?.inputs[0] === x
      ? { opType: 'Swish', attributes: {} }
      : undefined,
  )
}
