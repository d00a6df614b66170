/** Steps that own plans. Their outputs are provided while they run. */
import { SYMBOLIC } from './shared.js'
import type { OperandSpec, StepTable } from './spec.js'

const BOOL = { kind: 'data', types: 'bool', note: 'scalar' } as const satisfies OperandSpec
const ANY = { kind: 'data', types: 'any', many: true } as const satisfies OperandSpec
/** Absent where nobody reads it. */
const PROVIDED = { ...ANY, optional: true } as const satisfies OperandSpec
const PLAN = { type: 'plan', required: true } as const

export const controlSteps = {
  If: {
    kind: 'data',
    inputs: { condition: BOOL, captures: ANY },
    outputs: { y: PROVIDED },
    // biome-ignore lint/suspicious/noThenProperty: the name that the engine reads; never awaited
    attributes: { then: PLAN, else: PLAN, symbols: SYMBOLIC },
    merges: false,
  },
  Loop: {
    kind: 'data',
    inputs: {
      trip_count: { kind: 'data', types: 'int64', optional: true, note: 'scalar' },
      condition: { ...BOOL, optional: true },
      values: { ...ANY, note: 'carried, then captures' },
    },
    outputs: { y: { ...PROVIDED, note: 'carried, then scanned' } },
    attributes: { body: PLAN, carried: { type: 'int', required: true }, symbols: SYMBOLIC },
    merges: false,
  },
} as const satisfies StepTable
