/**
 * Relu and Clip as bounds. Quantization is monotonic, so `Q(clip(x, lo, hi)) = clamp(Q(x), Q(lo), Q(hi))` for
 * every scale and zero point: the activation costs nothing and hides no pattern.
 */
import { type Format, quantizeNumber } from '../../graph/format.js'
import { floats, floatsOf, intOf, ints, texts, textsOf } from '../../plan/attributes.js'
import { takesAttribute } from '../../plan/build.js'
import type { Draft } from '../../plan/draft.js'
import { operand, parameters, withOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { activationFormat, constantParameters, scalarConstant } from './params.js'

export interface Bounds {
  readonly low: number
  readonly high: number
}

/** The bounds a step clamps to, when that is all it does. */
export function boundsOf(draft: Draft, step: PlanStep): Bounds | undefined {
  if (step.op === 'Unary' || step.op === 'QUnary') {
    const names = textsOf(step, 'fns')
    if (names.length !== 1) return undefined
    if (names[0] === 'relu') return { low: 0, high: Infinity }
    if (names[0] !== 'clip') return undefined
    const [low, high] = floatsOf(step, 'params')
    return { low: low as number, high: high as number }
  }
  if (step.op !== 'Clip' || draft.tensors[step.outputs[0] as number]?.dtype !== 'float32') return undefined
  const bound = (t: number, absent: number) => (t < 0 ? absent : scalarConstant(draft, t))
  const low = bound(operand(step, 'min'), -Infinity)
  const high = bound(operand(step, 'max'), Infinity)
  return low === undefined || high === undefined || low > high ? undefined : { low, high }
}

/** `Relu or Clip -> QuantizeLinear  =>  QuantizeLinear with bounds` */
export function clampIntoQuantize(draft: Draft): Draft {
  return rewriteSteps(draft, (step, { index }) => {
    if (step.op !== 'QuantizeLinear') return undefined
    let current = step
    for (;;) {
      const producer = index.producer(operand(current, 'x'))
      const bounds = producer && boundsOf(draft, producer)
      const narrowed = bounds && narrow(draft, current, bounds)
      if (!producer || !narrowed) break
      current = {
        ...withOperand(narrowed, 'x', producer.inputs[0] as number),
        nodes: [...producer.nodes, ...current.nodes],
      }
    }
    return current
  })
}

function narrow(draft: Draft, quantize: PlanStep, bounds: Bounds): PlanStep | undefined {
  const numbers = constantParameters(draft, parameters(quantize, 'y'))
  const format = activationFormat(draft, quantize.outputs[0] as number)
  if (numbers === undefined || format === undefined) return undefined
  const { low, high } = levelsWithin(bounds, numbers.scale, numbers.zeroPoint, format)
  const qmin = Math.max(intOf(quantize, 'qmin', format.qmin), low)
  const qmax = Math.min(intOf(quantize, 'qmax', format.qmax), high)
  return {
    ...quantize,
    attributes: { ...quantize.attributes, qmin: ints(qmin), qmax: ints(Math.max(qmin, qmax)) },
  }
}

/** The levels that the bounds are. */
export function levelsWithin(
  { low, high }: Bounds,
  scale: number,
  zeroPoint: number,
  format: Format,
): Bounds {
  return {
    low: quantizeNumber(low, scale, zeroPoint, format),
    high: quantizeNumber(high, scale, zeroPoint, format),
  }
}

/** `Conv or MatMul, float -> Relu or Clip  =>  the product with fn 'clip'` */
export function clampIntoFloat(draft: Draft): Draft {
  return rewriteSteps(draft, (step, rewriting) => {
    const { index } = rewriting
    const bounds = boundsOf(draft, step)
    const producer = index.producer(step.inputs[0] as number)
    if (!bounds || !producer || !takesAttribute(producer.op, 'lo')) return undefined
    if (producer.attributes.fn !== undefined) return undefined
    const made = producer.outputs[0] as number
    if (index.soleReader(made) !== step || (draft.tensors[made] as PlanTensor).dtype !== 'float32')
      return undefined
    if (!sameLength(draft, made, step.outputs[0] as number)) return undefined
    rewriting.replace(producer, [
      {
        ...producer,
        outputs: step.outputs,
        nodes: [...producer.nodes, ...step.nodes],
        attributes: {
          ...producer.attributes,
          fn: texts('clip'),
          lo: floats(bounds.low),
          hi: floats(bounds.high),
        },
      },
    ])
    return []
  })
}

function sameLength(draft: Draft, a: number, b: number): boolean {
  return draft.tensors[a]?.dims.length === draft.tensors[b]?.dims.length
}
