/**
 * `int8 tensors and zero points  =>  uint8 ones, 128 more` (or back): one signedness for quantized activations, the one
 * that the kernels of this instruction set take without conversion. Adding 128 to values and zero points alike (modulo
 * 256) changes no real number, so the results stay the same bits.
 */
import { FORMATS } from '../../graph/format.js'
import { intOf, ints } from '../../plan/attributes.js'
import type { Draft } from '../../plan/draft.js'
import { fillPosition, movedInputs } from '../../plan/moves.js'
import { operand, positionOf, quantizedPositions, withInputs } from '../../plan/operands.js'
import type { PlanAttribute, PlanStep, PlanTensor } from '../../plan/plan.js'
import { findStep } from '../../plan/steps/index.js'
import { writtenBy } from './output.js'
import { addZeroPoint, zeroPointValue } from './params.js'

type Sign = 'uint8' | 'int8'

export function preferSign(draft: Draft, preferred: Sign): Draft {
  return new SignPass(draft, preferred).run()
}

class SignPass {
  private readonly flipped = new Set<number>()

  constructor(
    private readonly draft: Draft,
    private readonly preferred: Sign,
  ) {}

  run(): Draft {
    this.collect()
    if (this.flipped.size === 0) return this.draft
    const steps = this.draft.steps.map((step) => this.rewrite(step))
    this.draft.tensors.forEach((tensor, t) => {
      if (this.isFlipped(t)) this.draft.tensors[t] = { ...tensor, dtype: this.preferred }
    })
    return { ...this.draft, steps }
  }

  /** Starts with every tensor a step made in the other signedness; drops what some reader or maker cannot follow. */
  private collect(): void {
    for (const step of this.draft.steps) {
      for (const t of step.outputs) if (t >= 0 && this.isCandidate(t)) this.flipped.add(t)
    }
    for (let changed = true; changed; ) {
      changed = false
      for (const step of this.draft.steps) {
        for (const t of this.unable(step)) {
          const root = this.root(t)
          if (this.flipped.delete(root)) changed = true
        }
      }
    }
  }

  private isCandidate(t: number): boolean {
    const { kind, dtype } = this.draft.tensors[t] as PlanTensor
    const pinned = this.draft.outputs.includes(t) || this.draft.kept.includes(t)
    return kind === 'scratch' && dtype === this.other && !pinned
  }

  /** Flipped tensors this step could not keep right. */
  private unable(step: PlanStep): number[] {
    const touched = [...step.inputs, ...step.outputs].filter((t) => this.isFlipped(t))
    if (touched.length === 0) return []
    if (computesZeroPoint(step)) return this.changesAll(step) ? [] : touched
    if (findStep(step.op)?.shiftsSign) return touched.filter((t) => !this.shifts(step, t))
    return this.follows(step) ? [] : touched
  }

  /** Levels and the zero points that are computed with them change together. */
  private changesAll({ outputs: [levels = -1, , zeroPoint = -1] }: PlanStep): boolean {
    return this.isFlipped(levels) && (zeroPoint < 0 || this.isFlipped(zeroPoint))
  }

  /** Whether a step moves flipped bytes, all of them, and no others. */
  private follows(step: PlanStep): boolean {
    const moved = movedInputs(step)
    const data = [...moved.map((i) => step.inputs[i] as number), ...step.outputs]
    const fill = fillPosition(step)
    const filled = fill < 0 || this.hasConstant(step, fill)
    return moved.length > 0 && filled && data.every((t) => t < 0 || this.isFlipped(t))
  }

  /** Whether the zero points that a step has for tensor t can follow. */
  private shifts(step: PlanStep, t: number): boolean {
    // A fused table is made for one signedness of what comes before it.
    if (isTabled(step)) return false
    if (step.outputs.includes(t)) {
      const written = writtenBy(step)
      return written !== undefined && this.hasConstant(step, positionOf(step.op, written.parameters) + 1)
    }
    const all = quantizedPositions(step)
    const positions = all.filter((i) => step.inputs[i] === t)
    if (positions.length === 0) return this.isZeroPointOnly(step, all, t)
    return positions.every((i) => this.hasConstant(step, i + 2) || this.isFlipped(step.inputs[i + 2] ?? -1))
  }

  /** Whether a step reads t as the zero point of flipped bytes, and as nothing else. */
  private isZeroPointOnly({ inputs }: PlanStep, positions: readonly number[], t: number): boolean {
    return inputs.every(
      (input, i) => input !== t || (positions.includes(i - 2) && this.isFlipped(inputs[i - 2] as number)),
    )
  }

  private hasConstant(step: PlanStep, position: number): boolean {
    return zeroPointValue(this.draft, step.inputs[position] ?? -1) !== undefined
  }

  private rewrite(step: PlanStep): PlanStep {
    if (findStep(step.op)?.shiftsSign) return isTabled(step) ? step : this.withShifted(step)
    const fill = movedInputs(step).length > 0 ? fillPosition(step) : -1
    return fill >= 0 && this.isFlipped(step.outputs[0] as number) ? this.shiftAt(step, fill) : step
  }

  private withShifted(step: PlanStep): PlanStep {
    let current = step
    for (const i of quantizedPositions(step)) {
      const computed = this.isFlipped(step.inputs[i + 2] ?? -1)
      if (this.isFlipped(step.inputs[i] ?? -1) && !computed) current = this.shiftAt(current, i + 2)
    }
    if (computesZeroPoint(step))
      return this.isFlipped(step.outputs[0] as number) ? this.withBounds(current, 'qmin', 'qmax') : current
    const written = writtenBy(step)
    if (!written || !this.isFlipped(step.outputs[0] as number)) return current
    const { parameters, qmin, qmax } = written
    return this.withBounds(this.shiftAt(current, positionOf(step.op, parameters) + 1), qmin, qmax)
  }

  private withBounds(step: PlanStep, qmin: string, qmax: string): PlanStep {
    const attributes: Record<string, PlanAttribute> = { ...step.attributes }
    const format = FORMATS[this.other]
    if (attributes[qmin]) attributes[qmin] = ints(intOf(step, qmin, format.qmin) + this.shift)
    if (attributes[qmax]) attributes[qmax] = ints(intOf(step, qmax, format.qmax) + this.shift)
    return { ...step, attributes }
  }

  /** The zero point, or number, at a position of the inputs, in the other signedness. */
  private shiftAt(step: PlanStep, position: number): PlanStep {
    const value = (zeroPointValue(this.draft, step.inputs[position] ?? -1) ?? 0) + this.shift
    return withInputs(step, position, [addZeroPoint(this.draft, this.preferred, value)])
  }

  private get other(): Sign {
    return this.preferred === 'uint8' ? 'int8' : 'uint8'
  }

  private get shift(): number {
    return this.preferred === 'uint8' ? 128 : -128
  }

  private root(t: number): number {
    let tensor = this.draft.tensors[t] as PlanTensor
    while (tensor.kind === 'alias' && tensor.of !== undefined) {
      t = tensor.of
      tensor = this.draft.tensors[t] as PlanTensor
    }
    return t
  }

  private isFlipped(t: number): boolean {
    return t >= 0 && this.flipped.has(this.root(t))
  }
}

/** What such a step writes has the zero point that it gives (its third output), or the middle of the type. */
function computesZeroPoint(step: PlanStep): boolean {
  return step.op === 'DynamicQuantizeLinear' || step.op === 'QuantizeRows'
}

function isTabled(step: PlanStep): boolean {
  return findStep(step.op)?.inputs.table !== undefined && operand(step, 'table') >= 0
}
