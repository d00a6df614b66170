/**
 * Relu and Clip as bounds. Quantization is monotonic, so `Q(clip(x, lo, hi)) = clamp(Q(x), Q(lo), Q(hi))` for
 * every scale and zero point: the activation costs nothing and hides no pattern.
 */

import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Draft, DraftIndex, floatAttr, floats, int, intAttr, textAttr, texts } from '../draft.js'
import { isActivationType, quantizeScalar, RANGE, scalarConstant, zeroPointValue } from './params.js'

export interface Bounds {
  readonly low: number
  readonly high: number
}

/** The bounds a step clamps to, when that is all it does. */
export function boundsOf(draft: Draft, step: PlanStep): Bounds | undefined {
  if (step.op === 'Unary' || step.op === 'QUnary') {
    const names = texts(step, 'fns')
    if (names.length !== 1) return undefined
    if (names[0] === 'relu') return { low: 0, high: Infinity }
    if (names[0] !== 'clip') return undefined
    const [low, high] = floats(step, 'params')
    return { low: low as number, high: high as number }
  }
  if (step.op !== 'Clip' || draft.tensors[step.outputs[0] as number]?.dtype !== 'float32') return undefined
  const bound = (i: number, absent: number) =>
    (step.inputs[i] ?? -1) < 0 ? absent : scalarConstant(draft, step.inputs[i] as number)
  const low = bound(1, -Infinity)
  const high = bound(2, Infinity)
  return low === undefined || high === undefined || low > high ? undefined : { low, high }
}

/** Relu or Clip -> QuantizeLinear becomes a QuantizeLinear with bounds. */
export function clampIntoQuantize(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const replaced = new Map<PlanStep, PlanStep>()
  for (const step of draft.steps) {
    if (step.op !== 'QuantizeLinear') continue
    let current = step
    for (;;) {
      const producer = index.producer(current.inputs[0] as number)
      const bounds = producer && boundsOf(draft, producer)
      const narrowed = bounds && narrow(draft, current, bounds)
      if (!producer || !narrowed) break
      current = {
        ...narrowed,
        inputs: [producer.inputs[0] as number, ...current.inputs.slice(1)],
        nodes: [...producer.nodes, ...current.nodes],
      }
    }
    if (current !== step) replaced.set(step, current)
  }
  return { ...draft, steps: draft.steps.map((s) => replaced.get(s) ?? s) }
}

function narrow(draft: Draft, quantize: PlanStep, { low, high }: Bounds): PlanStep | undefined {
  const scale = scalarConstant(draft, quantize.inputs[1] as number)
  const zeroPoint = zeroPointValue(draft, quantize.inputs[2] ?? -1)
  const dtype = draft.tensors[quantize.outputs[0] as number]?.dtype
  if (scale === undefined || zeroPoint === undefined || !isActivationType(dtype)) return undefined
  const [least, most] = RANGE[dtype]
  const bound = (x: number) => quantizeScalar(x, scale, zeroPoint, dtype)
  const qmin = Math.max(int(quantize, 'qmin', least), bound(low))
  const qmax = Math.min(int(quantize, 'qmax', most), bound(high))
  return {
    ...quantize,
    attributes: { ...quantize.attributes, qmin: intAttr(qmin), qmax: intAttr(Math.max(qmin, qmax)) },
  }
}

const TAKES_FN = new Set(['Conv', 'MatMul'])

/** Float Conv or MatMul -> Relu or Clip becomes one step. */
export function clampIntoFloat(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const gone = new Set<PlanStep>()
  const replaced = new Map<PlanStep, PlanStep>()
  for (const step of draft.steps) {
    const bounds = boundsOf(draft, step)
    const producer = index.producer(step.inputs[0] as number)
    if (!bounds || !producer || !TAKES_FN.has(producer.op) || producer.attributes.fn !== undefined) continue
    const made = producer.outputs[0] as number
    if (index.soleReader(made) !== step || (draft.tensors[made] as PlanTensor).dtype !== 'float32') continue
    if (!sameLength(draft, made, step.outputs[0] as number)) continue
    gone.add(step)
    replaced.set(producer, {
      ...producer,
      outputs: step.outputs,
      nodes: [...producer.nodes, ...step.nodes],
      attributes: {
        ...producer.attributes,
        fn: textAttr('clip'),
        lo: floatAttr(bounds.low),
        hi: floatAttr(bounds.high),
      },
    })
  }
  return { ...draft, steps: draft.steps.filter((s) => !gone.has(s)).map((s) => replaced.get(s) ?? s) }
}

function sameLength(draft: Draft, a: number, b: number): boolean {
  return draft.tensors[a]?.dims.length === draft.tensors[b]?.dims.length
}

/** Functions that one step applies: what a longer chain saves is little, and its lists would grow as its square. */
const MAX_FUNCTIONS = 64

/** Unary -> Unary becomes one Unary that applies both. */
export function mergeUnary(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const gone = new Set<PlanStep>()
  const merged = new Map<PlanStep, PlanStep>()
  for (const step of draft.steps) {
    if (!isFloatUnary(draft, step)) continue
    const producer = index.producer(step.inputs[0] as number)
    if (!producer || !isFloatUnary(draft, producer)) continue
    if (index.soleReader(producer.outputs[0] as number) !== step) continue
    const first = merged.get(producer) ?? producer
    if (texts(first, 'fns').length + texts(step, 'fns').length > MAX_FUNCTIONS) continue
    gone.add(producer)
    merged.set(step, {
      ...step,
      inputs: first.inputs,
      nodes: [...first.nodes, ...step.nodes],
      attributes: {
        fns: textAttr(...texts(first, 'fns'), ...texts(step, 'fns')),
        params: floatAttr(...floats(first, 'params'), ...floats(step, 'params')),
      },
    })
  }
  return { ...draft, steps: draft.steps.filter((s) => !gone.has(s)).map((s) => merged.get(s) ?? s) }
}

function isFloatUnary(draft: Draft, step: PlanStep): boolean {
  const float = (t: number | undefined) => draft.tensors[t as number]?.dtype === 'float32'
  return step.op === 'Unary' && float(step.inputs[0]) && float(step.outputs[0])
}
