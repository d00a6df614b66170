/**
 * Mish (Misra 2019), as models of opsets before 18 write it:
 *
 *     x * Tanh(Softplus(x))  =>  Mish(x)
 */
import type { Graph } from '../graph/graph.js'
import { near, producedBy, replaceProducts } from './product.js'

export function recogniseMish(graph: Graph): Graph {
  return replaceProducts(graph, (editor, constant, x, other) => {
    const tanh = near(constant, 1) ? producedBy(editor, other, 'Tanh') : undefined
    const found = producedBy(editor, tanh?.inputs[0], 'Softplus')?.inputs[0] === x
    return found ? { opType: 'Mish', attributes: {} } : undefined
  })
}
