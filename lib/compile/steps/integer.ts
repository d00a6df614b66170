/**
 * DequantizeLinear -> step -> QuantizeLinear becomes one integer step; DequantizeLinear -> Conv or MatMul
 * without a QuantizeLinear becomes one with float output. Every rule answers with the new step or with the
 * reason why there is none, which `explain` shows.
 */

import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Draft, DraftIndex } from '../draft.js'
import { recordView, viewOf } from './move.js'
import {
  isActivationType,
  isPerTensor,
  type Params,
  type QuantizedView,
  sameParams,
  scalarConstant,
} from './params.js'
import { integerRules } from './rules/index.js'

/** What a rule may ask about the step it looks at. */
export interface RuleContext {
  readonly draft: Draft
  readonly step: PlanStep
  /** The per-tensor 8-bit tensor behind input i. */
  view(i: number): QuantizedView | undefined
  /** The step that made input i, aliases resolved. */
  producer(i: number): PlanStep | undefined
  /** Parameters and bounds of the quantized output; undefined: the output is float. */
  readonly target: (Params & { readonly bounds: PlanStep['attributes'] }) | undefined
}

export type IntegerStep = Pick<PlanStep, 'op' | 'inputs' | 'attributes'>
export interface IntegerRule {
  /** True for steps that can give float32 from integer accumulators. */
  readonly floatOutput: boolean
  apply(context: RuleContext): IntegerStep | string
}

export function toInteger(draft: Draft): Draft {
  return new IntegerPass(draft).run()
}

class IntegerPass {
  private readonly index: DraftIndex
  private readonly views = new Map<number, QuantizedView>()
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
    if (!step.inputs.some((t) => t >= 0 && viewOf(this.draft, this.views, t))) {
      return { ...step, reason: 'its inputs are not quantized' }
    }
    const quantizers = this.quantizersOf(out)
    if (quantizers.length === 0 && !rule.floatOutput) {
      return { ...step, reason: 'its output is not quantized' }
    }
    const result = rule.apply(this.context(step, quantizers[0]))
    if (typeof result === 'string') return { ...step, reason: result }
    const nodes = [...step.nodes, ...quantizers.flatMap((q) => q.nodes)]
    return { ...step, ...result, nodes, outputs: [this.redirect(out, quantizers)], kind: 'integer' }
  }

  private context(step: PlanStep, quantizer: PlanStep | undefined): RuleContext {
    const { axis: _axis, block_size: _block, ...bounds } = quantizer?.attributes ?? {}
    return {
      draft: this.draft,
      step,
      view: (i) => {
        const t = step.inputs[i] ?? -1
        return t < 0 ? undefined : viewOf(this.draft, this.views, t)
      },
      producer: (i) => {
        const t = step.inputs[i] ?? -1
        return t < 0 ? undefined : this.index.producer(this.index.root(t))
      },
      target: quantizer && {
        scale: quantizer.inputs[1] as number,
        zeroPoint: quantizer.inputs[2] ?? -1,
        bounds,
      },
    }
  }

  /** The QuantizeLinear steps that are all the readers of t, with equal parameters; [] where something else reads it. */
  private quantizersOf(t: number): readonly PlanStep[] {
    const readers = this.index.readers(t)
    if (this.index.isPinned(t) || readers.length === 0) return []
    const first = readers[0] as PlanStep
    const fits = (q: PlanStep) =>
      q.op === 'QuantizeLinear' &&
      q.inputs[0] === t &&
      isPerTensor(this.draft, q.inputs[1] as number) &&
      scalarConstant(this.draft, q.inputs[1] as number) !== undefined &&
      isActivationType(this.typeOf(q.outputs[0] as number).dtype) &&
      this.typeOf(q.outputs[0] as number).dtype === this.typeOf(first.outputs[0] as number).dtype &&
      JSON.stringify(q.attributes) === JSON.stringify(first.attributes) &&
      sameParams(this.draft, paramsOf(q), paramsOf(first))
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

function paramsOf(quantize: PlanStep): Params {
  return { scale: quantize.inputs[1] as number, zeroPoint: quantize.inputs[2] ?? -1 }
}
