/** What a rule is: it turns one float step between quantizers into an integer step, or says why it cannot. */
import type { Quantized } from '../../graph/format.js'
import type { BuiltStep, StepAttributes } from '../../plan/build.js'
import type { Draft } from '../../plan/draft.js'
import type { Parameters } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'

/** Scale and zero point of a quantized output, and its bounds. */
export interface RuleTarget extends Parameters {
  readonly bounds: Pick<StepAttributes<'QuantizeLinear'>, 'qmin' | 'qmax'>
}

/** What a rule may ask about the step it looks at. */
export interface RuleContext {
  readonly draft: Draft
  readonly step: PlanStep
  /**
   * The 8-bit tensor with one scale that a float tensor stands for, or, of rules that take them, one of 16 bits;
   * undefined: it is not quantized so, or absent.
   */
  view(t: number): Quantized<number> | undefined
  /** The step that made a tensor, aliases resolved. */
  producer(t: number): PlanStep | undefined
  /** undefined: the output is float. */
  readonly target: RuleTarget | undefined
}

export interface IntegerRule {
  /** True for steps that can give float32 from integer accumulators. */
  readonly floatOutput: boolean
  /** True for steps of activations of 16 bits. */
  readonly takes16Bits?: true
  apply(context: RuleContext): BuiltStep | string
}
