/**
 * Which products have integer operators with activations that are quantized while running: MatMulInteger and ConvInteger, of symmetric
 * int8 weights with one scale or one for each output channel.
 */

import { type Graph, intAttribute, type Node } from '../../graph/graph.js'
import { elementCount } from '../../graph/tensor.js'
import type { NodeSettings } from '../recipe/settings.js'
import type { FileForm } from './file-form.js'

type DynamicForm = Extract<FileForm, { readonly kind: 'dynamic' }>

/** Undefined: its activations are not asked for so, or in this form there is no operator for it. */
export function dynamicForm(
  graph: Graph,
  node: Node,
  dims: readonly number[],
  { weights, activations }: NodeSettings,
): DynamicForm | undefined {
  const { type, granularity = 'row', symmetric } = activations
  if (type !== 'dynamic' || weights.type !== 'int8' || !weights.symmetric || weights.granularity === 'group')
    return undefined
  if (node.opType === 'Conv') {
    const [, , bias = ''] = node.inputs
    const constant = bias === '' || graph.constants.get(bias)?.dtype === 'float32'
    return constant ? { kind: 'dynamic', per: 'tensor', symmetric: false } : undefined
  }
  const matrix = dims.length === 2 && elementCount(dims) > 0
  const turned = node.opType === 'Gemm' && intAttribute(node, 'transA', 0) !== 0
  if (!matrix || turned || (node.opType !== 'MatMul' && node.opType !== 'Gemm')) return undefined
  return { kind: 'dynamic', per: granularity, symmetric: granularity === 'row' && symmetric }
}
