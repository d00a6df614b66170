/**
 * How the file states weight-only weights: DequantizeLinear before the node, which every runtime of opset 21 has, or the operators
 * of onnxruntime that take weights in blocks, MatMulNBits and GatherBlockQuantized.
 */
import { type Format, type Granularity, isSigns } from '../../graph/format.js'
import { intAttribute, type Node } from '../../graph/graph.js'

export type FileForm =
  /** Standard operators that quantize what the product reads while running, and multiply integers. */
  | { readonly kind: 'dynamic'; readonly per: 'row' | 'tensor'; readonly symmetric: boolean }
  /** `reason`: why not `nbits`, where that was asked for. */
  | { readonly kind: 'dq'; readonly reason?: string }
  /** `block`: weights of a block as that operator counts them; those of a channel or tensor repeat its scale. */
  | { readonly kind: 'nbits'; readonly block: number }

/** Blocks of a channel whose scale is one: few scales, of a size that kernels are made for. */
const CHANNEL_BLOCK = 128

/** The form of a node of matrix or table weights `dims`; `summed`: the axis that its product adds up, of a table the last one. */
export function fileForm(
  asked: 'dq' | 'nbits',
  node: Node,
  dims: readonly number[],
  format: Format,
  granularity: Granularity,
): FileForm {
  if (asked === 'dq') return { kind: 'dq' }
  const dq = (reason: string): FileForm => ({ kind: 'dq', reason })
  if (isSigns(format)) return dq('no operator of onnxruntime has weights of 1 bit')
  if (node.opType !== 'MatMul' && node.opType !== 'Gemm' && node.opType !== 'Gather')
    return dq(`${node.opType} has no operator with weights in blocks`)
  if (dims.length !== 2) return dq('its weights are not one matrix')
  if (node.opType === 'Gemm' && intAttribute(node, 'transA', 0) !== 0)
    return dq('its first input is transposed')
  if (node.opType === 'Gather' && format.bits < 4) return dq('tables of fewer than 4 bits have no operator')
  const block = granularity.kind === 'block' ? granularity.size : CHANNEL_BLOCK
  return (block & (block - 1)) === 0 ? { kind: 'nbits', block } : dq(`groups of ${block} are no power of 2`)
}
