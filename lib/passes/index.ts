/** Graph preparation: the passes in their order, with the reason of each place. */
import type { Graph } from '../graph/graph.js'
import { removeDead } from '../graph/rewrite.js'
import { settleCaptures } from '../graph/subgraph.js'
import { isVerifying } from '../graph/verify-pass.js'
import { clipOfLevels } from './clip-of-levels.js'
import { foldConstants } from './fold-constants.js'
import { foldIntoTable } from './fold-into-table.js'
import { foldScale } from './fold-scale.js'
import { foldScaleNext } from './fold-scale-next.js'
import { inlineIf } from './inline-if.js'
import { lastAxisSoftmax } from './last-axis-softmax.js'
import { mergeGemm } from './merge-gemm.js'
import { removeNoOps } from './no-ops.js'
import type { PassContext, PassEntry, PassOptions } from './pass.js'
import { raiseScale } from './raise-scale.js'
import { recogniseFakeQuantization } from './recognise-fake-quantization.js'
import { recogniseGelu } from './recognise-gelu.js'
import { recogniseGroupNorm } from './recognise-group-norm.js'
import { recogniseHardSwish } from './recognise-hardswish.js'
import { recogniseMish } from './recognise-mish.js'
import { recogniseNorm } from './recognise-norm.js'
import { recogniseSigns } from './recognise-signs.js'
import { recogniseSwish } from './recognise-swish.js'
import { scanToLoop } from './scan-to-loop.js'
import { widenFloat16 } from './widen-float16.js'

export const passes: readonly PassEntry[] = [
  {
    name: 'scanToLoop',
    pass: scanToLoop,
    why: 'nothing below knows Scan',
    tags: ['required', 'training'],
  },
  {
    name: 'widenFloat16',
    pass: widenFloat16,
    why: 'every later pass sees float32 only',
    tags: ['required', 'training'],
  },
  {
    name: 'recogniseFakeQuantization',
    pass: recogniseFakeQuantization,
    why: 'before folding, which would leave floats of fake-quantized weights',
    tags: [],
  },
  {
    name: 'foldConstants',
    pass: foldConstants,
    why: 'patterns need their weights and sizes as constants, whatever the exporter computes them from',
    tags: ['required', 'training'],
  },
  {
    name: 'inlineIf',
    pass: inlineIf,
    why: 'the branches hold the patterns that the passes below look for',
    tags: ['training'],
  },
  { name: 'lastAxisSoftmax', pass: lastAxisSoftmax, tags: ['training'] },
  {
    name: 'removeNoOps',
    pass: removeNoOps,
    why: 'a node that changes nothing would hide a pattern; it asks for values: a bias of zeros goes',
    tags: [],
  },
  { name: 'removeDead', pass: removeDead, why: 'dead readers would hide sole readers', tags: ['training'] },
  {
    name: 'recogniseFakeQuantization',
    pass: recogniseFakeQuantization,
    why: 'once more: scales that the model computes are constants now',
    tags: [],
  },
  {
    name: 'clipOfLevels',
    pass: clipOfLevels,
    why: 'after folding: bounds are constants, and what is left between the levels hides quantizers from everything below',
    tags: [],
  },
  {
    name: 'recogniseSigns',
    pass: recogniseSigns,
    why: 'before scales and shifts are folded into products: their weights would have more than two levels',
    tags: ['levels'],
  },
  {
    name: 'recogniseHardSwish',
    pass: recogniseHardSwish,
    why: 'functions that exporters spell out: one node is one table, or one float step',
    tags: ['training'],
  },
  { name: 'recogniseSwish', pass: recogniseSwish, tags: ['training'] },
  { name: 'recogniseGelu', pass: recogniseGelu, tags: ['training'] },
  { name: 'recogniseMish', pass: recogniseMish, tags: ['training'] },
  { name: 'recogniseNorm', pass: recogniseNorm, tags: ['training'] },
  {
    name: 'recogniseGroupNorm',
    pass: recogniseGroupNorm,
    why: 'asks for a norm within groups, spelt out or not',
    tags: [],
  },
  { name: 'mergeGemm', pass: mergeGemm, why: 'before foldScale, which knows Gemm', tags: ['training'] },
  {
    name: 'raiseScale',
    pass: raiseScale,
    why: 'brings to foldScale what is not next to its product',
    tags: [],
  },
  { name: 'foldScale', pass: foldScale, why: 'after the products have their final form', tags: [] },
  { name: 'foldIntoTable', pass: foldIntoTable, tags: [] },
  {
    name: 'foldConstants',
    pass: foldConstants,
    why: 'evaluates what the folding of scales wrote: the next pass asks for weights that are constant',
    tags: ['training'],
  },
  {
    name: 'foldScaleNext',
    pass: foldScaleNext,
    why: 'after foldScale: the product before takes any factors, the one after only some',
    tags: [],
  },
  {
    name: 'foldConstants',
    pass: foldConstants,
    why: 'evaluates what foldScaleNext wrote',
    tags: ['training'],
  },
  {
    name: 'settleCaptures',
    pass: settleCaptures,
    why: 'constants that folding made, where owned graphs capture them',
    tags: ['training'],
  },
  { name: 'removeDead', pass: removeDead, tags: ['training'] },
]

/** The passes that run, in their order. */
export function selectedPasses(selection: PassOptions['selection'] = 'all'): readonly PassEntry[] {
  if (selection === 'all') return passes
  if (selection === 'float') return passes.filter(({ tags }) => !tags.includes('levels'))
  return passes.filter(({ tags }) => tags.includes(selection))
}

/** Runs the selected passes. `evaluate` computes constants; the compiler gives it. */
export async function prepareGraph(graph: Graph, context: PassContext): Promise<Graph> {
  const check = isVerifying() ? (await import('./check.js')).checkGraphPass : undefined
  let current = graph
  for (const { name, pass } of selectedPasses(context.selection)) {
    context.signal?.throwIfAborted()
    const next = await pass(current, context)
    check?.(name, current, next)
    current = next
  }
  return current
}
