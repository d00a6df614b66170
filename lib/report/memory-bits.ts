/** Bits that the steps of a plan hold of its constants. */
import { byteLength } from '../graph/dtype.js'
import { float16ToNumber, numberToFloat16 } from '../graph/float16.js'
import { formatOf } from '../graph/format.js'
import { constantBytes, type Draft } from '../plan/draft.js'
import { operand, quantizedOperand } from '../plan/operands.js'
import type { Plan, PlanStep, PlanTensor } from '../plan/plan.js'

/** By name of the constant. */
export function bitsInMemory(plan: Plan): ReadonlyMap<string, number> {
  const draft: Draft = { ...plan, tensors: [...plan.tensors], kept: [] }
  const bits = new Map<string, number>()
  // Constants that several steps read as they are, are in memory once.
  const raw = new Set<string>()
  for (const step of plan.steps) {
    for (const { tensor, held, own } of heldBy(draft, step)) {
      const { name, kind, of } = rootOf(draft, tensor)
      if (kind !== 'constant' || of !== undefined) continue
      if (!own && raw.has(name)) continue
      if (!own) raw.add(name)
      bits.set(name, (bits.get(name) ?? 0) + held)
    }
  }
  return bits
}

interface Held {
  readonly tensor: number
  readonly held: number
  /** Packed by the step; else the bytes of the file. */
  readonly own: boolean
}

function heldBy(draft: Draft, step: PlanStep): readonly Held[] {
  switch (step.op) {
    case 'BlockMatMul': {
      const b = operand(step, 'b')
      const [scale, zero] = [operand(step, 'scale'), operand(step, 'zero_point')]
      const scales = count(draft, scale) * (areHalves(draft, scale) ? 16 : 32)
      // One zero point for all is a number of the step.
      const one = zero < 0 || count(draft, zero) === 1
      const real = zero >= 0 && formatOf(typeOf(draft, zero)) === undefined
      const zeros = one ? 0 : count(draft, scale) * (real ? 32 : bitsOf(draft, b))
      return [{ tensor: b, held: count(draft, b) * bitsOf(draft, b) + scales + zeros, own: true }]
    }
    case 'GatherBlocks': {
      const x = operand(step, 'x')
      const held = [x, operand(step, 'scale'), operand(step, 'zero_point')].reduce(
        (n, t) => n + (t < 0 ? 0 : byteLength(typeOf(draft, t), count(draft, t)) * 8),
        0,
      )
      return [{ tensor: x, held, own: false }]
    }
    case 'QConv':
    case 'QConvTranspose':
    case 'QMatMul': {
      const { tensor, scale } = quantizedOperand(step, step.op === 'QMatMul' ? 'b' : 'w')
      return [
        { tensor, held: count(draft, tensor) * bitsOf(draft, tensor) + count(draft, scale) * 32, own: true },
      ]
    }
    case 'DequantizeLinear': {
      const { tensor } = quantizedOperand(step, 'x')
      return [{ tensor, held: count(draft, tensor) * 32, own: true }]
    }
  }
  return step.inputs
    .filter((t) => t >= 0 && rootOf(draft, t).kind === 'constant')
    .map((tensor) => ({
      tensor,
      held: byteLength(typeOf(draft, tensor), count(draft, tensor)) * 8,
      own: false,
    }))
}

function rootOf(draft: Draft, t: number): PlanTensor {
  let tensor = draft.tensors[t] as PlanTensor
  while (tensor.kind === 'alias' && tensor.of !== undefined) tensor = draft.tensors[tensor.of] as PlanTensor
  return tensor
}

function typeOf(draft: Draft, t: number): PlanTensor['dtype'] {
  return (draft.tensors[t] as PlanTensor).dtype
}

function bitsOf(draft: Draft, t: number): number {
  return formatOf(typeOf(draft, t))?.bits ?? 32
}

function count(draft: Draft, t: number): number {
  return (draft.tensors[t] as PlanTensor).dims.reduce<number>(
    (n, d) => n * (typeof d === 'number' ? d : 0),
    1,
  )
}

/** Scales are packed as float16 where that changes none of them. */
function areHalves(draft: Draft, t: number): boolean {
  if (typeOf(draft, t) === 'float16') return true
  const bytes = constantBytes(draft, t)
  if (!bytes) return false
  const values = new Float32Array(new Uint8Array(bytes).buffer)
  return values.every((v) => float16ToNumber(numberToFloat16(v)) === v)
}
