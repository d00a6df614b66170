/** The table of steps agrees with the engine, and what is made of it is fresh. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { inputSlots, outputSlots, stepNames } from '../../lib/plan/slots.js'
import { STEPS } from '../../lib/plan/steps/index.js'
import type { OperandSpec, StepSpec } from '../../lib/plan/steps/spec.js'

const root = new URL('../../', import.meta.url)
const all = Object.entries(STEPS) as [string, StepSpec][]

describe('table of steps', () => {
  it('has a step for every operator of the engine, and no other', () => {
    const lines = readFileSync(new URL('native/ops/ops.inc', root), 'utf8')
    const operators = [...lines.matchAll(/^OCTAVO_OP\((\w+),/gm)].map((match) => match[1])
    expect([...stepNames()].sort()).toEqual(operators.sort())
  })

  it('gives every input and output of a step a name of its own', () => {
    for (const [name, spec] of all) {
      const names = [...inputSlots(spec), ...outputSlots(spec).map((s) => ({ name: `${s.name} out` }))]
      expect(new Set(names.map((s) => s.name)).size, name).toBe(names.length)
    }
  })

  it.each(all)('%s names only operands and attributes that it has', (_, spec) => {
    const inputs = Object.keys(spec.inputs)
    for (const moved of spec.moves ?? []) expect(inputs).toContain(moved)
    if (spec.fills) expect(inputs).toContain(spec.fills)
    if (spec.movesWhen) expect(spec.attributes[spec.movesWhen[0]]?.values).toContain(spec.movesWhen[1])
    for (const state of spec.inPlace ?? []) expect(Object.keys(spec.outputs)).toContain(state)
    for (const slot of [...inputSlots(spec), ...outputSlots(spec)]) {
      if (slot.like) expect(inputSlots(spec).map((s) => s.name)).toContain(slot.like)
    }
  })

  it.each(all)('only the last operand of %s repeats', (_, spec) => {
    for (const operands of [spec.inputs, spec.outputs]) {
      const repeats = Object.values(operands).map((o: OperandSpec) => o.many === true)
      expect(repeats.slice(0, -1)).not.toContain(true)
    }
  })

  it('has fresh files made of it', () => {
    const script = new URL('scripts/gen-steps.mjs', root).pathname
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
