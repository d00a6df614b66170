/**
 * What the table of steps says of a step. The table is plain data. Made of it: typed builders (`../build.ts`), access to
 * operands by name (`../operands.ts`), the verifier, the enums and checks of the engine (`native/ops/steps.h`), and the
 * tables of `docs/steps.md`.
 */
import type { StepKind } from '../plan.js'
import type { TypeClass } from './types.js'

/**
 * What an operand is, and how many inputs of the step it takes:
 *
 * - `data`, `bias`, `table`, `index`: one tensor;
 * - `quantized`: `x`, `x_scale`, `x_zp?`; one scale for the tensor unless `scales` says otherwise;
 * - `weights`: the same for weights, which have one scale or one per output channel;
 * - `parameters`: `y_scale`, `y_zp?` of a tensor that the step writes.
 */
export type OperandKind = 'data' | 'bias' | 'table' | 'index' | 'quantized' | 'weights' | 'parameters'

export interface OperandSpec {
  readonly kind: OperandKind
  /** Element types of the tensor; of `parameters`: those of the zero point. */
  readonly types: TypeClass
  readonly optional?: true
  /** Any number of them; only the last operand of a step. */
  readonly many?: true
  /** Number of axes, or the least and most; absent: any. */
  readonly rank?: number | readonly [least: number, most: number]
  /** Has the element type of this input. */
  readonly like?: string
  /** What docs/steps.md says of it: sizes, unit. */
  readonly note?: string
}

export interface AttributeSpec {
  readonly type: 'int' | 'ints' | 'float' | 'floats' | 'text' | 'texts' | 'plan'
  readonly required?: true
  /** May depend on symbols: the engine reads it when it binds sizes. */
  readonly symbolic?: true
  /** What an absent attribute means. */
  readonly default?: number | string
  /** The texts that are allowed. */
  readonly values?: readonly string[]
}

export interface StepSpec {
  /** What the step counts as, where the one who adds it does not say otherwise. */
  readonly kind: StepKind
  readonly inputs: Readonly<Record<string, OperandSpec>>
  readonly outputs: Readonly<Record<string, OperandSpec>>
  readonly attributes: Readonly<Record<string, AttributeSpec>>
  /**
   * Inputs whose elements reach the output as they are. Quantizing them commutes with the step, and so does the sign of
   * quantized ones.
   */
  readonly moves?: readonly string[]
  /** `moves` is true only where this attribute has this text. */
  readonly movesWhen?: readonly [attribute: string, text: string]
  /** The input that is written beside the moved elements, a number of their kind; where it is absent, zero is. */
  readonly fills?: string
  /** `fills` is true only where this attribute has this text. */
  readonly fillsWhen?: readonly [attribute: string, text: string]
  /** It reads no element that its output does not have: a QuantizeLinear may as well stand before it. */
  readonly quantizeBefore?: true
  /** Its inputs and outputs may change their signedness, if zero points and bounds change with them. */
  readonly shiftsSign?: true
  /** false: two equal steps are two steps. */
  readonly merges?: false
  /** Outputs that are states: the step adds to what they hold. */
  readonly inPlace?: readonly string[]
  /** Inputs that its first output may lie over, where they are that same state: each element is read before it is written. */
  readonly writesOver?: readonly string[]
}

export type StepTable = Readonly<Record<string, StepSpec>>
