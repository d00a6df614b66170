/**
 * One signedness for quantized activations: the one the kernels of this ISA take without conversion. Adding
 * 128 to values and zero points alike (modulo 256) changes no real number, so the results stay the same bits.
 */

import type { PlanAttribute, PlanStep, PlanTensor } from '../../plan/plan.js'
import { type Draft, int, intAttr } from '../draft.js'
import { addZeroPoint, isActivationType, RANGE, zeroPointValue } from './params.js'

type Sign = 'uint8' | 'int8'

/** Where a step names quantized tensors: [tensor, zero point] positions of inputs, and the zero point and bounds of its output. */
interface Positions {
  readonly data: readonly (readonly [number, number])[]
  readonly outputZeroPoint: number
  readonly bounds: readonly (readonly [string, string])[]
}

const QUANTIZED_OUTPUT: readonly (readonly [string, string])[] = [['qmin', 'qmax']]

function positionsOf(step: PlanStep): Positions | undefined {
  switch (step.op) {
    case 'QConv':
    case 'QConvTranspose':
    case 'QMatMul':
      return weightedPositions(step)
    case 'QBinary':
      return {
        data: [
          [0, 2],
          [3, 5],
        ],
        outputZeroPoint: 7,
        bounds: QUANTIZED_OUTPUT,
      }
    case 'QUnary':
    case 'QPool':
    case 'QReduceMean':
    case 'QSoftmax':
    case 'QResize':
      return { data: [[0, 2]], outputZeroPoint: 4, bounds: QUANTIZED_OUTPUT }
    case 'QConcat': {
      const data = Array.from(
        { length: (step.inputs.length - 2) / 3 },
        (_, i) => [2 + 3 * i, 4 + 3 * i] as const,
      )
      return { data, outputZeroPoint: 1, bounds: QUANTIZED_OUTPUT }
    }
    case 'QuantizeLinear':
      return { data: [], outputZeroPoint: 2, bounds: QUANTIZED_OUTPUT }
    case 'DequantizeLinear':
      return { data: [[0, 2]], outputZeroPoint: -1, bounds: [] }
    default:
      return undefined
  }
}

function weightedPositions(step: PlanStep): Positions | undefined {
  const summed = (step.inputs[9] ?? -1) >= 0
  // A fused table is made for one signedness of what comes before it.
  if ((step.inputs[14] ?? -1) >= 0) return undefined
  const data: (readonly [number, number])[] = [[0, 2]]
  if (step.op === 'QMatMul') data.push([3, 5])
  if (summed) data.push([9, 11])
  const bounds: (readonly [string, string])[] = summed ? [['sum_qmin', 'sum_qmax']] : [['qmin', 'qmax']]
  return { data, outputZeroPoint: summed ? 13 : 7, bounds }
}

const MOVERS = new Set([
  'Transpose',
  'Concat',
  'Slice',
  'Split',
  'Gather',
  'GatherElements',
  'GatherND',
  'Expand',
  'Tile',
  'Copy',
  'Reverse',
  'Resize',
])

export function preferSign(preferred: Sign): (draft: Draft) => Draft {
  return (draft) => new SignPass(draft, preferred).run()
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
    const tensor = this.draft.tensors[t] as PlanTensor
    const pinned = this.draft.outputs.includes(t) || this.draft.kept.includes(t)
    return (
      tensor.kind === 'scratch' &&
      isActivationType(tensor.dtype) &&
      tensor.dtype !== this.preferred &&
      !pinned
    )
  }

  /** Flipped tensors this step could not keep right. */
  private unable(step: PlanStep): number[] {
    const touched = [...step.inputs, ...step.outputs].filter((t) => t >= 0 && this.isFlipped(t))
    if (touched.length === 0) return []
    if (MOVERS.has(step.op)) {
      const data = [...step.inputs, ...step.outputs].filter(
        (t) => t >= 0 && isActivationType((this.draft.tensors[t] as PlanTensor).dtype),
      )
      return data.every((t) => this.isFlipped(t)) ? [] : touched
    }
    const positions = positionsOf(step)
    if (!positions) return touched
    const readable = new Set(positions.data.map(([i]) => step.inputs[i] as number))
    const constantZero = (i: number) => zeroPointValue(this.draft, step.inputs[i] ?? -1) !== undefined
    const fine = (t: number) =>
      step.outputs.includes(t)
        ? positions.outputZeroPoint >= 0 && constantZero(positions.outputZeroPoint)
        : readable.has(t) && positions.data.every(([i, z]) => step.inputs[i] !== t || constantZero(z))
    return touched.filter((t) => !fine(t))
  }

  private rewrite(step: PlanStep): PlanStep {
    const positions = positionsOf(step)
    if (!positions) return step
    const inputs = [...step.inputs]
    for (const [i, z] of positions.data)
      if (this.isFlipped(inputs[i] as number)) inputs[z] = this.shifted(inputs[z] ?? -1)
    const out = step.outputs[0] as number
    if (!this.isFlipped(out)) return { ...step, inputs }
    const z = positions.outputZeroPoint
    while (inputs.length <= z) inputs.push(-1)
    inputs[z] = this.shifted(inputs[z] as number)
    const attributes: Record<string, PlanAttribute> = { ...step.attributes }
    const other: Sign = this.preferred === 'uint8' ? 'int8' : 'uint8'
    for (const [low, high] of positions.bounds) {
      if (attributes[low]) attributes[low] = intAttr(int(step, low, RANGE[other][0]) + this.shift)
      if (attributes[high]) attributes[high] = intAttr(int(step, high, RANGE[other][1]) + this.shift)
    }
    return { ...step, inputs, attributes }
  }

  private get shift(): number {
    return this.preferred === 'uint8' ? 128 : -128
  }

  private shifted(zeroPoint: number): number {
    const value = (zeroPointValue(this.draft, zeroPoint) ?? 0) + this.shift
    return addZeroPoint(this.draft, this.preferred, value)
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
