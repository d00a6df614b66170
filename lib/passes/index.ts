/** Graph preparation: the passes in their order, with the reason of each place. */
import type { Graph } from '../graph/graph.js'
import { removeDead } from '../graph/rewrite.js'
import { settleCaptures } from '../graph/subgraph.js'
import { foldConstants } from './fold-constants.js'
import { foldScale } from './fold-scale.js'
import { inlineIf } from './inline-if.js'
import { lastAxisSoftmax } from './last-axis-softmax.js'
import { mergeGemm } from './merge-gemm.js'
import { removeNoOps } from './no-ops.js'
import type { Pass, PassContext } from './pass.js'
import { recogniseGelu } from './recognise-gelu.js'
import { recogniseHardSwish } from './recognise-hardswish.js'
import { recogniseLayerNorm } from './recognise-layer-norm.js'
import { recogniseSwish } from './recognise-swish.js'
import { scanToLoop } from './scan-to-loop.js'
import { widenFloat16 } from './widen-float16.js'

export const passes: readonly (readonly [string, Pass])[] = [
  // Nothing below knows Scan.
  ['scanToLoop', scanToLoop],
  // Every later pass sees float32 only.
  ['widenFloat16', widenFloat16],
  // Patterns need their weights and sizes as constants, whatever sub-graphs the exporter made of them.
  ['foldConstants', foldConstants],
  // Its branches hold the patterns that the passes below look for.
  ['inlineIf', inlineIf],
  ['lastAxisSoftmax', lastAxisSoftmax],
  ['removeNoOps', removeNoOps],
  ['removeDead', removeDead],
  // Functions that exporters spell out: one node is one table, or one float step.
  ['recogniseHardSwish', recogniseHardSwish],
  ['recogniseSwish', recogniseSwish],
  ['recogniseGelu', recogniseGelu],
  ['recogniseLayerNorm', recogniseLayerNorm],
  ['mergeGemm', mergeGemm],
  ['foldScale', foldScale],
  // Evaluates what foldScale wrote.
  ['foldConstants', foldConstants],
  // Constants that folding made, where owned graphs capture them.
  ['settleCaptures', settleCaptures],
  ['removeDead', removeDead],
]

/** What a graph needs to run at all: the others only make it faster, or quantizable. */
const required = passes.slice(0, 3)

/** Runs all passes. `evaluate` computes constants; the compiler gives it. */
export async function prepareGraph(graph: Graph, context: PassContext): Promise<Graph> {
  let current = graph
  const selected = context.optimize === false ? required : passes
  for (const [, pass] of selected) {
    context.signal?.throwIfAborted()
    current = await pass(current, context)
  }
  return current
}
