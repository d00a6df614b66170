/** The order of the step passes, with the reason of each place. */
import type { Draft, StepPass } from '../draft.js'
import { fuseBias } from './bias.js'
import { clampIntoFloat, clampIntoQuantize, mergeUnary } from './clamp.js'
import { compact, mergeEqual, removeUnread, writeOutputsDirectly } from './cleanup.js'
import { fuseEpilogues } from './epilogue.js'
import { toInteger } from './integer.js'
import { cancelPairs, hoistQuantize, sinkDequantize } from './move.js'
import { residualIntoConv } from './residual.js'
import { scalarToUnary } from './scalar.js'
import { scaleIntoQuantize } from './scale.js'
import { preferSign } from './sign.js'
import { absorbTransposes } from './transpose.js'

export interface StepPassOptions {
  readonly activations: 'uint8' | 'int8'
  /** false: only what is needed to run (graphOptimizationLevel 'disabled'): float steps as the graph states them. */
  readonly fuse: boolean
}

/** A pass, and the operators of which a plan must have one for the pass to have work; [] where any plan has. */
type Entry = readonly [pass: StepPass, needs: readonly string[]]

function stepPasses({ activations, fuse }: StepPassOptions): readonly Entry[] {
  if (!fuse) {
    return [
      [removeUnread, []],
      [compact, []],
    ]
  }
  return [
    // Many readers of one quantized value must see one tensor before patterns count readers.
    [mergeEqual, []],
    [removeUnread, []],
    // The bias belongs to the product before anything looks at what follows the product.
    [fuseBias, ['MatMul']],
    // Quantizers rise to the step that computes, and swallow the activations on their way.
    [hoistQuantize, ['QuantizeLinear']],
    [clampIntoQuantize, ['QuantizeLinear']],
    // Before scales by a number look like functions: behind a product they are the quantizer's.
    [scaleIntoQuantize, ['Binary']],
    // Scales and shifts by a number belong to the table of the function before or behind them.
    [scalarToUnary, ['Binary']],
    [mergeUnary, ['Unary']],
    // Dequantizers sink to the step that computes; what lies between moves bytes.
    [sinkDequantize, ['DequantizeLinear']],
    // Sinking left dequantizers that nobody reads: they would hide sole readers.
    [removeUnread, ['DequantizeLinear']],
    [toInteger, []],
    [cancelPairs, ['QuantizeLinear']],
    [removeUnread, []],
    // Once integer steps and their tables have taken what they can: a table, once fused, is made for one signedness.
    [preferSign(activations), []],
    [fuseEpilogues, ['QUnary', 'QBinary']],
    // A residual has to lie as the output: only behind it is known which outputs may be written elsewhere.
    [absorbTransposes, ['Transpose']],
    // Behind the integer pass, which knows sums of its own; the activation of the sum follows it.
    [residualIntoConv, ['Conv']],
    // Before the integer pass a float activation would hide Conv -> QuantizeLinear.
    [clampIntoFloat, ['Conv', 'MatMul']],
    [writeOutputsDirectly, []],
    [removeUnread, []],
    [compact, []],
  ]
}

export function runStepPasses(draft: Draft, options: StepPassOptions): Draft {
  let current = draft
  for (const [pass, needs] of stepPasses(options)) {
    if (needs.length === 0 || current.steps.some(({ op }) => needs.includes(op))) current = pass(current)
  }
  return current
}
