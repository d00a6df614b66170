/** Operands of a step by the names that the table of steps gives them. */
import type { Quantized } from '../graph/format.js'
import type { PlanStep } from './plan.js'
import { findStep, type STEPS, type StepName } from './steps/index.js'
import type { OperandKind } from './steps/spec.js'

/** Scale and zero point as tensors of the plan; an absent zero point (undefined or -1) is 0. */
export type Parameters = Pick<Quantized<number>, 'scale' | 'zeroPoint'>

/** A quantized tensor with its parameters. */
export type QuantizedOperand = Pick<Quantized<number>, 'tensor' | 'scale' | 'zeroPoint'>

export type OperandName = { [N in StepName]: keyof (typeof STEPS)[N]['inputs'] }[StepName]

/** Inputs that an operand takes: their number, and where its scale is among them. */
const WIDTH: Readonly<Record<OperandKind, number>> = {
  data: 1,
  bias: 1,
  table: 1,
  index: 1,
  quantized: 3,
  weights: 3,
  parameters: 2,
}

/** Position of the first input of each operand, by step; made when a step is first looked at. */
const known = new Map<string, Readonly<Record<string, number>>>()

function positionsOf(op: string): Readonly<Record<string, number>> {
  const found = known.get(op)
  if (found) return found
  const positions: Record<string, number> = {}
  const inputs = findStep(op)?.inputs ?? {}
  let at = 0
  for (const name in inputs) {
    positions[name] = at
    at += WIDTH[inputs[name]?.kind ?? 'data']
  }
  known.set(op, positions)
  return positions
}

export function hasOperand(op: string, name: OperandName): boolean {
  return positionsOf(op)[name] !== undefined
}

/** Position of an operand among the inputs of a step; of one that repeats, of the first. */
export function positionOf(op: string, name: OperandName): number {
  const position = positionsOf(op)[name]
  if (position === undefined) throw new RangeError(`step ${op} has no operand '${name}'`)
  return position
}

/** The tensor of an operand (of a quantized one: without its parameters); -1 where it is absent. */
export function operand(step: PlanStep, name: OperandName): number {
  return step.inputs[positionOf(step.op, name)] ?? -1
}

/** A quantized operand that is present. */
export function quantizedOperand({ op, inputs }: PlanStep, name: OperandName): QuantizedOperand {
  return quantizedAt(inputs, positionOf(op, name))
}

/** Scale and zero point of what the step writes, by the name of the operand that states them. */
export function parameters({ op, inputs }: PlanStep, name: OperandName): Parameters {
  const at = positionOf(op, name)
  return { scale: inputs[at] as number, zeroPoint: inputs[at + 1] ?? -1 }
}

function quantizedAt(inputs: readonly number[], at: number): QuantizedOperand {
  return {
    tensor: inputs[at] as number,
    scale: inputs[at + 1] as number,
    zeroPoint: inputs[at + 2] ?? -1,
  }
}

/** The inputs of a step with other tensors at a position and after it. */
export function withInputs(step: PlanStep, position: number, tensors: readonly number[]): PlanStep {
  const inputs = [...step.inputs]
  while (inputs.length < position) inputs.push(-1)
  for (let i = 0; i < tensors.length; i++) inputs[position + i] = tensors[i] as number
  return { ...step, inputs }
}

/** The step with another tensor as an operand; the parameters of a quantized operand stay. */
export function withOperand(step: PlanStep, name: OperandName, tensor: number): PlanStep {
  return withInputs(step, positionOf(step.op, name), [tensor])
}

export function withQuantized(step: PlanStep, name: OperandName, operand: QuantizedOperand): PlanStep {
  const { tensor, scale, zeroPoint = -1 } = operand
  return withInputs(step, positionOf(step.op, name), [tensor, scale, zeroPoint])
}

export function withParameters(step: PlanStep, name: OperandName, parameters: Parameters): PlanStep {
  const { scale, zeroPoint = -1 } = parameters
  return withInputs(step, positionOf(step.op, name), [scale, zeroPoint])
}

/** Positions of the tensors of all quantized operands; their scales and zero points follow each. */
export function quantizedPositions({ op, inputs }: PlanStep): readonly number[] {
  const operands = findStep(op)?.inputs ?? {}
  const positions: number[] = []
  for (const name in operands) {
    const spec = operands[name]
    if (spec?.kind !== 'quantized') continue
    const first = positionsOf(op)[name] as number
    const end = spec.many ? inputs.length : first + 1
    for (let at = first; at < end; at += WIDTH.quantized) positions.push(at)
  }
  return positions
}
