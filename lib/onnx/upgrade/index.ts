/**
 * Brings each operator of opsets 7 to 25 to one form, that of opset 21. Operators newer than 21 and those whose later
 * versions only added types stay as they are. Source: docs/Changelog.md and docs/Operators.md of ONNX.
 */
import type { Node } from '../../graph/graph.js'
import type { Upgrade, UpgradeContext } from './context.js'
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
import { batchNormalization, dropoutBoolMask, dropoutTypedMask, groupNormalization } from './normalization.js'
import { gridSampleModes, roiAlignCoordinates, scanWithBatch, scatterToScatterElements } from './rename.js'
import { resizeInputs, upsampleToResize } from './resize.js'
import { flattenedSoftmax } from './softmax.js'

export const OLDEST_OPSET = 7
export const NEWEST_OPSET = 25
/** The opset whose semantics the graph has. */
export const CANONICAL_OPSET = 21

/** Applies to nodes written for an opset below this one. */
interface Change {
  readonly before: number
  readonly upgrade: Upgrade
}

const ALL = Number.POSITIVE_INFINITY
const axesBefore18: readonly Change[] = [{ before: 18, upgrade: axesToInput }]
const softmaxBefore13: readonly Change[] = [{ before: 13, upgrade: flattenedSoftmax }]

/** In the order of opsets: each change sees the result of those before it, while that is the same operator. */
const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  BatchNormalization: [{ before: 14, upgrade: batchNormalization }],
  Clip: [{ before: 11, upgrade: clipBounds }],
  DFT: [{ before: 20, upgrade: dftAxis }],
  Dropout: [
    { before: 10, upgrade: dropoutTypedMask },
    { before: ALL, upgrade: dropoutBoolMask },
  ],
  GridSample: [{ before: 20, upgrade: gridSampleModes }],
  GroupNormalization: [{ before: 21, upgrade: groupNormalization }],
  Hardmax: softmaxBefore13,
  LogSoftmax: softmaxBefore13,
  Pad: [{ before: 11, upgrade: padAmounts }],
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
  Squeeze: [{ before: 13, upgrade: axesToInput }],
  TopK: [{ before: 10, upgrade: topkCount }],
  Unsqueeze: [{ before: 13, upgrade: axesToInput }],
  Upsample: [{ before: ALL, upgrade: upsampleToResize }],
}

/** The nodes that do in the canonical form what `node` does in opset `version`. */
export function upgradeNode(node: Node, version: number, context: UpgradeContext): readonly Node[] {
  const changes = node.domain === '' && Object.hasOwn(CHANGES, node.opType) ? CHANGES[node.opType] : undefined
  let nodes: readonly Node[] = [node]
  for (const { before, upgrade } of changes ?? []) {
    if (version < before && nodes.length === 1 && nodes[0]?.opType === node.opType)
      nodes = upgrade(nodes[0], context)
  }
  return nodes
}
