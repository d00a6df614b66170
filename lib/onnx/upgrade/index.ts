/**
 * Brings each operator of opsets 1 to 27 to one form, that of opset 21. Operators newer than 21 and those whose later
 * versions only added types stay as they are. Source: docs/Changelog.md and docs/Operators.md of ONNX.
 */
import type { Node } from '../../graph/graph.js'
import type { Upgrade, UpgradeContext } from './context.js'
import {
  affineGrid,
  blackmanWindow,
  causalConvolution,
  hammingWindow,
  hannWindow,
  tensorScatter,
} from './functions.js'
import {
  axesToInput,
  clipBounds,
  dftAxis,
  padAmounts,
  sliceBounds,
  splitCount,
  splitSizes,
  topkCount,
} from './inputs.js'
import {
  alignedBroadcast,
  castName,
  channelSlope,
  concatAxis,
  gemmBroadcast,
  inferenceOnly,
  padName,
  recurrentOutputs,
  reshapeSizes,
  upsampleScales,
} from './legacy.js'
import { batchNormalization, dropoutBoolMask, dropoutTypedMask, groupNormalization } from './normalization.js'
import { bipolarQuant, quant } from './qonnx.js'
import { gridSampleModes, roiAlignCoordinates, scanWithBatch, scatterToScatterElements } from './rename.js'
import { resizeInputs, upsampleToResize } from './resize.js'
import { scaler } from './scaler.js'
import { flattenedSoftmax } from './softmax.js'

export const OLDEST_OPSET = 1
export const NEWEST_OPSET = 27
/** The opset whose semantics the graph has. */
export const CANONICAL_OPSET = 21

/** Applies to nodes written for an opset below this one. */
interface Change {
  readonly before: number
  readonly upgrade: Upgrade
}

const ALL = Number.POSITIVE_INFINITY
const broadcastBefore7: readonly Change[] = [{ before: 7, upgrade: alignedBroadcast }]
const recurrentBefore7: readonly Change[] = [{ before: 7, upgrade: recurrentOutputs }]
const axesBefore18: readonly Change[] = [{ before: 18, upgrade: axesToInput }]
const softmaxBefore13: readonly Change[] = [{ before: 13, upgrade: flattenedSoftmax }]

/** In the order of opsets: each change sees the result of those before it, while that is the same operator. */
const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  Add: broadcastBefore7,
  AffineGrid: [{ before: ALL, upgrade: affineGrid }],
  And: broadcastBefore7,
  BatchNormalization: [
    { before: 7, upgrade: inferenceOnly },
    { before: 14, upgrade: batchNormalization },
  ],
  BlackmanWindow: [{ before: ALL, upgrade: blackmanWindow }],
  Cast: [{ before: 6, upgrade: castName }],
  CausalConvWithState: [{ before: ALL, upgrade: causalConvolution }],
  Clip: [{ before: 11, upgrade: clipBounds }],
  Concat: [{ before: 4, upgrade: concatAxis }],
  DFT: [{ before: 20, upgrade: dftAxis }],
  Div: broadcastBefore7,
  Dropout: [
    { before: 7, upgrade: inferenceOnly },
    { before: 10, upgrade: dropoutTypedMask },
    { before: ALL, upgrade: dropoutBoolMask },
  ],
  Equal: broadcastBefore7,
  GRU: recurrentBefore7,
  Gemm: [{ before: 7, upgrade: gemmBroadcast }],
  Greater: broadcastBefore7,
  GridSample: [{ before: 20, upgrade: gridSampleModes }],
  GroupNormalization: [{ before: 21, upgrade: groupNormalization }],
  HammingWindow: [{ before: ALL, upgrade: hammingWindow }],
  HannWindow: [{ before: ALL, upgrade: hannWindow }],
  Hardmax: softmaxBefore13,
  LSTM: recurrentBefore7,
  Less: broadcastBefore7,
  LogSoftmax: softmaxBefore13,
  Mul: broadcastBefore7,
  Or: broadcastBefore7,
  PRelu: [{ before: 7, upgrade: channelSlope }],
  Pad: [
    { before: 2, upgrade: padName },
    { before: 11, upgrade: padAmounts },
  ],
  Pow: broadcastBefore7,
  RNN: recurrentBefore7,
  ReduceL1: axesBefore18,
  ReduceL2: axesBefore18,
  ReduceLogSum: axesBefore18,
  ReduceLogSumExp: axesBefore18,
  ReduceMax: axesBefore18,
  ReduceMean: axesBefore18,
  ReduceMin: axesBefore18,
  ReduceProd: axesBefore18,
  ReduceSum: [{ before: 13, upgrade: axesToInput }],
  ReduceSumSquare: axesBefore18,
  Reshape: [{ before: 5, upgrade: reshapeSizes }],
  Resize: [
    { before: 11, upgrade: upsampleToResize },
    { before: ALL, upgrade: resizeInputs },
  ],
  RoiAlign: [{ before: 16, upgrade: roiAlignCoordinates }],
  Scan: [{ before: 9, upgrade: scanWithBatch }],
  Scatter: [{ before: ALL, upgrade: scatterToScatterElements }],
  Slice: [{ before: 10, upgrade: sliceBounds }],
  Softmax: softmaxBefore13,
  Split: [
    { before: 13, upgrade: splitSizes },
    { before: 18, upgrade: splitCount },
  ],
  Sub: broadcastBefore7,
  Squeeze: [{ before: 13, upgrade: axesToInput }],
  TensorScatter: [{ before: ALL, upgrade: tensorScatter }],
  TopK: [{ before: 10, upgrade: topkCount }],
  Unsqueeze: [{ before: 13, upgrade: axesToInput }],
  Upsample: [
    { before: 7, upgrade: upsampleScales },
    { before: ALL, upgrade: upsampleToResize },
  ],
  Xor: broadcastBefore7,
}

/** Operators of ai.onnx.ml that are some of ai.onnx. */
const LEARNED: Readonly<Record<string, readonly Change[]>> = { Scaler: [{ before: ALL, upgrade: scaler }] }

/** Quantizers of QONNX, and of the domains it had before. */
const QUANTIZERS: Readonly<Record<string, readonly Change[]>> = {
  BipolarQuant: [{ before: ALL, upgrade: bipolarQuant }],
  IntQuant: [{ before: ALL, upgrade: quant }],
  Quant: [{ before: ALL, upgrade: quant }],
}

const BY_DOMAIN: Readonly<Record<string, typeof CHANGES>> = {
  '': CHANGES,
  'ai.onnx.ml': LEARNED,
  'finn.custom_op.general': QUANTIZERS,
  'onnx.brevitas': QUANTIZERS,
  'qonnx.custom_op.general': QUANTIZERS,
}

function changesOf({ domain, opType }: Node): readonly Change[] {
  const changes = Object.hasOwn(BY_DOMAIN, domain) ? BY_DOMAIN[domain] : undefined
  return (changes && Object.hasOwn(changes, opType) ? changes[opType] : undefined) ?? []
}

/** Whether a node of opset `version` may have another form than the canonical one. */
export function isUpgraded(node: Node, version: number): boolean {
  return changesOf(node).some(({ before }) => version < before)
}

/** The nodes that do in the canonical form what `node` does in opset `version`. */
export function upgradeNode(node: Node, version: number, context: UpgradeContext): readonly Node[] {
  let nodes: readonly Node[] = [node]
  for (const { before, upgrade } of changesOf(node)) {
    if (version < before && nodes.length === 1 && nodes[0]?.opType === node.opType)
      nodes = upgrade(nodes[0], context)
  }
  return nodes
}
