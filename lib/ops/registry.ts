/** All operators, by domain and type. */
import { OctavoError } from '../errors.js'
import type { Graph, Node } from '../graph/graph.js'
import { ops as control } from './control/control.js'
import { ops as layout } from './core/layout.js'
import type { OpDef } from './core/opdef.js'
import { ops as cast } from './math/cast.js'
import { ops as einsum } from './math/einsum.js'
import { ops as elementwiseBinary } from './math/elementwise-binary.js'
import { ops as elementwiseUnary } from './math/elementwise-unary.js'
import { ops as flattenedSoftmax } from './math/flattened-softmax.js'
import { ops as fourier } from './math/fourier.js'
import { ops as logic } from './math/logic.js'
import { ops as matmul } from './math/matmul.js'
import { ops as reduce } from './math/reduce.js'
import { ops as softmax } from './math/softmax.js'
import { ops as append } from './nn/append.js'
import { ops as attention } from './nn/attention.js'
import { ops as contribFused } from './nn/contrib-fused.js'
import { ops as conv } from './nn/conv.js'
import { ops as gridSample } from './nn/grid-sample.js'
import { ops as groupQueryAttention } from './nn/group-query-attention.js'
import { ops as layerNorm } from './nn/layer-norm.js'
import { ops as multiHeadAttention } from './nn/multi-head-attention.js'
import { ops as norm } from './nn/norm.js'
import { ops as packedAttention } from './nn/packed-attention.js'
import { ops as pool } from './nn/pool.js'
import { ops as recurrent } from './nn/recurrent.js'
import { ops as resize } from './nn/resize.js'
import { ops as rotaryEmbedding } from './nn/rotary-embedding.js'
import { ops as contribQuantized } from './quantized/contrib-quantized.js'
import { ops as dynamicLstm } from './quantized/dynamic-lstm.js'
import { ops as gatherBlockQuantized } from './quantized/gather-block-quantized.js'
import { ops as matMulBnb4 } from './quantized/matmul-bnb4.js'
import { ops as matMulNBits } from './quantized/matmul-nbits.js'
import { ops as qAttention } from './quantized/q-attention.js'
import { ops as qoperator } from './quantized/qoperator.js'
import { ops as quantization } from './quantized/quantization.js'
import { ops as centerCropPad } from './shape/center-crop-pad.js'
import { ops as gather } from './shape/gather.js'
import { ops as scatter } from './shape/scatter.js'
import { ops as select } from './shape/select.js'
import { ops as shape } from './shape/shape.js'
import { ops as slice } from './shape/slice.js'

const all: readonly (readonly OpDef[])[] = [
  append,
  attention,
  cast,
  centerCropPad,
  contribFused,
  contribQuantized,
  dynamicLstm,
  qAttention,
  gatherBlockQuantized,
  matMulBnb4,
  matMulNBits,
  control,
  conv,
  einsum,
  elementwiseBinary,
  elementwiseUnary,
  flattenedSoftmax,
  fourier,
  gather,
  gridSample,
  groupQueryAttention,
  layerNorm,
  layout,
  logic,
  matmul,
  multiHeadAttention,
  norm,
  packedAttention,
  pool,
  qoperator,
  quantization,
  recurrent,
  reduce,
  resize,
  rotaryEmbedding,
  scatter,
  select,
  shape,
  slice,
  softmax,
]

const byName = new Map<string, OpDef>(all.flat().map((op) => [`${op.domain}:${op.opType}`, op]))

export function findOp(domain: string, opType: string): OpDef | undefined {
  return byName.get(`${domain === 'ai.onnx' ? '' : domain}:${opType}`)
}

/** Older nodes that compute the same, for operators that a file may not hold as they are: what the writer asks for. */
export function decompose(node: Node, graph: Graph): readonly Node[] | undefined {
  return findOp(node.domain, node.opType)?.decompose?.(node, graph)
}

export interface UnsupportedNode {
  readonly node: string
  readonly opType: string
  readonly domain: string
  readonly reason: string
}

/** Why operators that one could expect to run do not. */
const REASONS: Readonly<Record<string, string>> = {
  Unique: 'its output size depends on the data in a way that no step has',
  NonMaxSuppression: 'detection post-processing belongs after the model',
  SequenceConstruct: 'sequences are not supported',
  SequenceAt: 'sequences are not supported',
  SplitToSequence: 'sequences are not supported',
  ConcatFromSequence: 'sequences are not supported',
  Optional: 'optional values are not supported',
}

/** Nodes without an operator, those of owned graphs included. */
export function unsupportedNodes(graph: Graph): UnsupportedNode[] {
  const found: UnsupportedNode[] = []
  const pending: Graph[] = [graph]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const node of next.nodes) {
      const { name, opType, domain } = node
      if (findOp(domain, opType) === undefined) {
        const known = domain === '' || domain === 'ai.onnx' || domain === 'com.microsoft'
        const reason = REASONS[opType] ?? (known ? 'not implemented' : `domain "${domain}" is not supported`)
        found.push({ node: name, opType, domain, reason })
      }
      for (const attribute of Object.values(node.attributes)) {
        if (attribute.kind === 'graph') pending.push(attribute.value)
      }
    }
  }
  return found
}

/** One error that names all of them. */
export function unsupportedError(nodes: readonly UnsupportedNode[]): OctavoError {
  const most = 50
  const lines = nodes.slice(0, most).map((n) => {
    const op = n.domain === '' || n.domain === 'ai.onnx' ? n.opType : `${n.domain}.${n.opType}`
    return `  ${op} (node "${n.node}"): ${n.reason}`
  })
  if (nodes.length > most) lines.push(`  and ${nodes.length - most} more`)
  const first = nodes[0]
  return new OctavoError(
    'ERR_UNSUPPORTED_OP',
    `the model uses operators that Octavo does not have:\n${lines.join('\n')}`,
    first ? { node: first.node, opType: first.opType } : {},
  )
}
