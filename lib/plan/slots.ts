/** Operands of the table of steps as the numbered inputs and outputs of a step. */
import type { StepName } from './steps/index.js'
import { STEPS } from './steps/index.js'
import type { OperandSpec, StepSpec } from './steps/spec.js'
import type { TypeClass } from './steps/types.js'

/** One input or output of a step. */
export interface Slot {
  /** `x`, `x_scale`, `x_zp`. */
  readonly name: string
  readonly types: TypeClass
  readonly optional: boolean
  /** This slot and those after it are one operand that repeats. */
  readonly repeats: boolean
  readonly rank?: OperandSpec['rank']
  /** Name of the slot whose element type it has. */
  readonly like?: string
  readonly note?: string
}

function slotsOf(name: string, spec: OperandSpec): readonly Slot[] {
  const { kind, types, rank, like, note } = spec
  const optional = spec.optional === true
  const repeats = spec.many === true
  const scale: Slot = { name: `${name}_scale`, types: 'f32', optional, repeats }
  const zeroPoint: Slot = { name: `${name}_zp`, types, optional: true, repeats }
  const tensor: Slot = { name, types, optional, repeats, rank, like, note }
  if (kind === 'parameters') return [scale, zeroPoint]
  if (kind === 'quantized' || kind === 'weights') return [tensor, scale, { ...zeroPoint, like: name }]
  return [tensor]
}

export function inputSlots({ inputs }: StepSpec): readonly Slot[] {
  return Object.entries(inputs).flatMap(([name, spec]) => slotsOf(name, spec))
}

export function outputSlots({ outputs }: StepSpec): readonly Slot[] {
  return Object.entries(outputs).flatMap(([name, spec]) => slotsOf(name, spec))
}

export function stepNames(): readonly StepName[] {
  return Object.keys(STEPS) as StepName[]
}
