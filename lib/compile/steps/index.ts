/** The order of the step passes, with the reason of each place. */
import type { BlockActivations } from '../../graph/graph.js'
import type { Draft } from '../../plan/draft.js'
import { fuseBias } from './bias.js'
import { blockRows } from './block-rows.js'
import { blockWeights } from './block-weights.js'
import { clampIntoFloat, clampIntoQuantize } from './clamp.js'
import { compact, mergeEqual, removeUnread, writeOutputsDirectly } from './cleanup.js'
import { fuseEpilogues } from './epilogue.js'
import { hoistQuantize } from './hoist.js'
import { toInteger } from './integer.js'
import { cancelPairs } from './pairs.js'
import { quantizeRows } from './quantize-rows.js'
import { recurrentWeights } from './recurrent.js'
import { residualIntoConv } from './residual.js'
import { scaleRows } from './rows.js'
import { scalarToUnary } from './scalar.js'
import { scaleIntoQuantize } from './scale.js'
import { preferSign } from './sign.js'
import { sinkDequantize } from './sink.js'
import { sinkRows } from './sink-rows.js'
import { writeStatesDirectly } from './state.js'
import { markTernary } from './ternary.js'
import { absorbTransposes } from './transpose.js'
import { mergeUnary } from './unary.js'

export interface StepPassOptions {
  readonly activations: 'uint8' | 'int8'
  /** false: only what is needed to run (graphOptimizationLevel 'disabled'): float steps as the graph states them. */
  readonly fuse: boolean
  /** What products of weights in blocks make of float rows; absent: what onnxruntime would. */
  readonly blockActivations?: BlockActivations
  /** Verifies what each pass makes; under OCTAVO_VERIFY=1. */
  readonly check?: StepCheck
}

export interface StepCheck {
  /** Whether what lowering made is worth a verification. */
  isAllowed(draft: Draft): boolean
  runChecked(entry: StepPassEntry, draft: Draft, options: StepPassOptions): Draft
}

/** A pass over the steps of a draft in its place among the others. */
export interface StepPassEntry {
  readonly name: string
  readonly pass: (draft: Draft, options: StepPassOptions) => Draft
  /** The reason of its place. */
  readonly why?: string
  /** Operators of which a plan must have one for the pass to have work; absent where any plan has. */
  readonly needs?: readonly string[]
  /** `required`: no plan runs without it. */
  readonly tags?: readonly 'required'[]
}

const stepPasses: readonly StepPassEntry[] = [
  {
    name: 'mergeEqual',
    pass: mergeEqual,
    why: 'many readers of one quantized value must see one tensor before patterns count readers',
  },
  { name: 'removeUnread', pass: removeUnread },
  {
    name: 'quantizeRows',
    pass: quantizeRows,
    needs: ['Reduce'],
    why: 'before scales look like functions, and before products take the scales of rows',
  },
  {
    name: 'scaleRows',
    pass: scaleRows,
    needs: ['QMatMul', 'QConv'],
    why: 'before multiplications by a number look like functions',
  },
  {
    name: 'fuseBias',
    pass: fuseBias,
    needs: ['MatMul'],
    why: 'the bias belongs to the product before anything looks at what follows the product',
  },
  {
    name: 'hoistQuantize',
    pass: hoistQuantize,
    needs: ['QuantizeLinear'],
    why: 'quantizers rise to the step that computes, and swallow the activations on their way',
  },
  { name: 'clampIntoQuantize', pass: clampIntoQuantize, needs: ['QuantizeLinear'] },
  {
    name: 'scaleIntoQuantize',
    pass: scaleIntoQuantize,
    needs: ['Binary'],
    why: "before scales by a number look like functions: after a product they are the quantizer's",
  },
  {
    name: 'scalarToUnary',
    pass: scalarToUnary,
    needs: ['Binary'],
    why: 'scales and shifts by a number belong to the table of the function before or after them',
  },
  { name: 'mergeUnary', pass: mergeUnary, needs: ['Unary'] },
  {
    name: 'sinkDequantize',
    pass: sinkDequantize,
    needs: ['DequantizeLinear'],
    why: 'dequantizers sink to the step that computes; what lies between moves bytes',
  },
  {
    name: 'sinkRows',
    pass: sinkRows,
    needs: ['Gather'],
    why: 'with its like; after it, because a table with one scale needs no scales of rows',
  },
  {
    name: 'removeUnread',
    pass: removeUnread,
    needs: ['DequantizeLinear'],
    why: 'sinking left dequantizers that nobody reads: they would hide sole readers',
  },
  { name: 'toInteger', pass: toInteger },
  {
    name: 'recurrentWeights',
    pass: recurrentWeights,
    needs: ['Recurrent'],
    why: 'with the integer steps: it looks for the same dequantizers',
  },
  {
    name: 'blockRows',
    pass: blockRows,
    needs: ['DequantizeLinear'],
    why: 'what the integer pass could not take: weights whose activations are float',
  },
  {
    name: 'blockWeights',
    pass: (draft, { blockActivations }) => blockWeights(draft, blockActivations),
    needs: ['DequantizeLinear'],
    why: 'with its like, while activations are not yet fused into float products',
  },
  { name: 'cancelPairs', pass: cancelPairs, needs: ['QuantizeLinear'] },
  { name: 'removeUnread', pass: removeUnread },
  {
    name: 'preferSign',
    pass: (draft, { activations }) => preferSign(draft, activations),
    why: 'once integer steps have taken what they can: a table, once fused, is made for one signedness',
  },
  { name: 'fuseEpilogues', pass: fuseEpilogues, needs: ['QUnary', 'QBinary'] },
  {
    name: 'absorbTransposes',
    pass: absorbTransposes,
    needs: ['Transpose'],
    why: 'a residual has to lie as the output: only after fusing it is known which outputs may be written elsewhere',
  },
  {
    name: 'residualIntoConv',
    pass: residualIntoConv,
    needs: ['Conv'],
    why: 'after the integer pass, which knows sums of its own; the activation of the sum follows it',
  },
  {
    name: 'clampIntoFloat',
    pass: clampIntoFloat,
    needs: ['Conv', 'MatMul'],
    why: 'before the integer pass a float activation would hide Conv -> QuantizeLinear',
  },
  {
    name: 'markTernary',
    pass: markTernary,
    needs: ['QConv', 'QMatMul'],
    why: 'once bounds, zero points and tables are what the engine gets',
  },
  { name: 'writeOutputsDirectly', pass: writeOutputsDirectly },
  {
    name: 'writeStatesDirectly',
    pass: writeStatesDirectly,
    needs: ['Copy'],
    why: 'once no pass moves a step that reads a state past the one that then writes it',
  },
  { name: 'removeUnread', pass: removeUnread, tags: ['required'] },
  {
    name: 'compact',
    pass: compact,
    tags: ['required'],
    why: 'last: it renumbers tensors, and leaves out those that nothing names',
  },
]

export function runStepPasses(draft: Draft, options: StepPassOptions): Draft {
  const { fuse } = options
  const check = options.check?.isAllowed(draft) ? options.check : undefined
  let current = draft
  for (const entry of stepPasses) {
    const { pass, needs, tags } = entry
    if (!fuse && !tags?.includes('required')) continue
    if (needs && !current.steps.some(({ op }) => needs.includes(op))) continue
    current = check ? check.runChecked(entry, current, options) : pass(current, options)
  }
  return current
}
