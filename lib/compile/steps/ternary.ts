/**
 * `QConv(x), QMatMul(a): levels within one of the zero point  =>  the step with ternary`: whose producers have bounds so
 * narrow. The engine counts bits then, where the weights are -1 and 1 as well; it looks at them as it packs them.
 */
import { formatOf } from '../../graph/format.js'
import { intOf, ints, textOf } from '../../plan/attributes.js'
import { type Draft, DraftIndex, isConstant } from '../../plan/draft.js'
import { fillPosition, movedInputs } from '../../plan/moves.js'
import { operand, parameters, quantizedOperand } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'
import { findStep } from '../../plan/steps/index.js'
import { writtenBy } from './output.js'
import { sameParameters, zeroPointValue } from './params.js'

interface Range {
  readonly least: number
  readonly most: number
}

export function markTernary(draft: Draft): Draft {
  const ranges = new Ranges(draft)
  let changed = false
  const steps = draft.steps.map((step) => {
    if (!ranges.isTernary(step)) return step
    changed = true
    return { ...step, attributes: { ...step.attributes, ternary: ints(1) } }
  })
  return changed ? { ...draft, steps } : draft
}

/** Levels that tensors of 8 bits can have, by what makes them. */
class Ranges {
  private readonly index: DraftIndex
  private readonly known = new Map<PlanStep, Range | undefined>()

  constructor(private readonly draft: Draft) {
    this.index = new DraftIndex(draft)
  }

  isTernary(step: PlanStep): boolean {
    if (step.op !== 'QConv' && step.op !== 'QMatMul') return false
    if (!isConstant(this.draft, operand(step, step.op === 'QConv' ? 'w' : 'b'))) return false
    const { tensor, zeroPoint } = quantizedOperand(step, step.op === 'QConv' ? 'x' : 'a')
    const zero = zeroPointValue(this.draft, zeroPoint)
    const range = zero === undefined ? undefined : this.of(tensor)
    return range !== undefined && range.least >= (zero as number) - 1 && range.most <= (zero as number) + 1
  }

  private of(t: number): Range | undefined {
    const step = this.index.producer(this.index.root(t))
    if (!step) return undefined
    if (!this.known.has(step)) this.known.set(step, this.made(step))
    return this.known.get(step)
  }

  private made(step: PlanStep): Range | undefined {
    const moved = movedInputs(step)
    if (moved.length > 0) return this.union(step, moved)
    if (step.op === 'QPool') return this.pooled(step)
    const written = writtenBy(step)
    const format = formatOf(this.draft.tensors[step.outputs[0] as number]?.dtype)
    if (!written || !format || !(written.qmin in step.attributes)) return undefined
    if (findStep(step.op)?.inputs.table !== undefined && operand(step, 'table') >= 0) return undefined
    return {
      least: intOf(step, written.qmin, format.qmin),
      most: intOf(step, written.qmax, format.qmax),
    }
  }

  /** A maximum is one of its elements, where it is not requantized. */
  private pooled(step: PlanStep): Range | undefined {
    const isMaximum = textOf(step, 'fn') === 'max'
    const x = quantizedOperand(step, 'x')
    return isMaximum && sameParameters(this.draft, x, parameters(step, 'y')) ? this.of(x.tensor) : undefined
  }

  private union(step: PlanStep, moved: readonly number[]): Range | undefined {
    const ranges = moved.map((i) => this.of(step.inputs[i] as number))
    const fill = fillPosition(step)
    if (fill >= 0) {
      const value = zeroPointValue(this.draft, step.inputs[fill] ?? -1)
      ranges.push(value === undefined ? undefined : { least: value, most: value })
    }
    if (!ranges.every((range) => range !== undefined)) return undefined
    return {
      least: Math.min(...ranges.map(({ least }) => least)),
      most: Math.max(...ranges.map(({ most }) => most)),
    }
  }
}
