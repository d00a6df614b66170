/**
 * `DequantizeLinear -> f -> QuantizeLinear  =>  Qf`, and `DequantizeLinear -> Conv or MatMul  =>  QConv or QMatMul with
 * float output`. Every rule answers with the new step or with the reason why there is none, which `explain` shows.
 */
import { attributesOf } from '../../plan/build.js'
import { type Draft, DraftIndex } from '../../plan/draft.js'
import { operand, parameters } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { activationFormat, isActivation, isPerTensor, sameParameters, scalarConstant } from './params.js'
import type { RuleContext } from './rule.js'
import { integerRules } from './rules/index.js'
import { recordView, type Views, viewOf } from './views.js'

export function toInteger(draft: Draft): Draft {
  return new IntegerPass(draft).run()
}

class IntegerPass {
  private readonly index: DraftIndex
  private readonly views: Views = new Map()
  private readonly consumed = new Set<PlanStep>()

  constructor(private readonly draft: Draft) {
    this.index = new DraftIndex(draft)
  }

  run(): Draft {
    const steps: PlanStep[] = []
    for (const step of this.draft.steps) {
      if (this.consumed.has(step)) continue
      if (step.op === 'DequantizeLinear') recordView(this.draft, step, this.views)
      steps.push(this.convert(step))
    }
    return { ...this.draft, steps }
  }

  private convert(step: PlanStep): PlanStep {
    const rule = integerRules.get(step.op)
    const out = step.outputs[0]
    if (!rule || out === undefined || (step.outputs[1] ?? -1) >= 0) return step
    if (this.draft.tensors[out]?.dtype !== 'float32') return step
    if (!step.inputs.some((t) => this.view(t))) {
      return { ...step, reason: 'its inputs are not quantized' }
    }
    const quantizers = this.quantizersOf(out)
    if (quantizers.length === 0 && !rule.floatOutput) {
      return { ...step, reason: 'its output is not quantized' }
    }
    const written = quantizers[0] && activationFormat(this.draft, quantizers[0].outputs[0] as number)
    const bits = [written, ...step.inputs.map((t) => this.view(t)?.format)].map((format) => format?.bits)
    if (!rule.takes16Bits && bits.includes(16))
      return { ...step, reason: 'of 16-bit activations only products have an integer form' }
    const result = rule.apply(this.context(step, quantizers[0]))
    if (typeof result === 'string') return { ...step, reason: result }
    const nodes = [...step.nodes, ...quantizers.flatMap((q) => q.nodes)]
    return { ...step, ...result, nodes, outputs: [this.redirect(out, quantizers)], kind: 'integer' }
  }

  private view(t: number) {
    return t < 0 ? undefined : viewOf(this.draft, this.views, t)
  }

  private context(step: PlanStep, quantizer: PlanStep | undefined): RuleContext {
    return {
      draft: this.draft,
      step,
      view: (t) => this.view(t),
      producer: (t) => (t < 0 ? undefined : this.index.producer(this.index.root(t))),
      target: quantizer && targetOf(quantizer),
    }
  }

  /** The QuantizeLinear steps that are all the readers of t, with equal parameters; [] where something else reads it. */
  private quantizersOf(t: number): readonly PlanStep[] {
    const readers = this.index.readers(t)
    if (this.index.isPinned(t) || readers.length === 0) return []
    const first = readers[0] as PlanStep
    const fits = (q: PlanStep) =>
      q.op === 'QuantizeLinear' &&
      operand(q, 'x') === t &&
      isPerTensor(this.draft, parameters(q, 'y').scale) &&
      scalarConstant(this.draft, parameters(q, 'y').scale) !== undefined &&
      isActivation(this.typeOf(q.outputs[0] as number).dtype) &&
      this.typeOf(q.outputs[0] as number).dtype === this.typeOf(first.outputs[0] as number).dtype &&
      JSON.stringify(q.attributes) === JSON.stringify(first.attributes) &&
      sameParameters(this.draft, parameters(q, 'y'), parameters(first, 'y'))
    return readers.every(fits) ? readers : []
  }

  private typeOf(t: number): PlanTensor {
    return this.draft.tensors[t] as PlanTensor
  }

  /** The integer step writes the first quantizer's output; the others become aliases of it. */
  private redirect(out: number, quantizers: readonly PlanStep[]): number {
    const [first, ...others] = quantizers
    if (!first) return out
    const target = first.outputs[0] as number
    for (const other of others) {
      const t = other.outputs[0] as number
      this.draft.tensors[t] = { ...this.typeOf(t), kind: 'alias', of: target }
    }
    for (const q of quantizers) this.consumed.add(q)
    return target
  }
}

function targetOf(quantizer: PlanStep): RuleContext['target'] {
  const { qmin, qmax } = attributesOf('QuantizeLinear', quantizer)
  return { ...parameters(quantizer, 'y'), bounds: { qmin, qmax } }
}
