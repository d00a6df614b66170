/** The models that were brought, with default options, against the float truth that came with them. */
import { describe, expect, it } from 'vitest'
import { reference } from '../../models/reference.js'
import { expectRight, expectSameElsewhere } from './describe.js'
import { openSharedCase, sharedCases } from './shared-cases.js'
import { sqnrsOf, tryQuantizing } from './trial.js'

const cases = sharedCases()

it.skipIf(cases.length > 0)('../shared/field-cases is absent', () => {})

describe.each(cases.map((c) => [c.name, c] as const))('%s', (name, { bar, outputs }) => {
  it('reaches its bar, in Octavo and elsewhere', async () => {
    const input = await openSharedCase(name)
    const trial = await tryQuantizing(input)
    const truth = new Map(Object.entries(input.truth).map(([n, t]) => [n, [t.data as Float32Array]]))
    for (const [output, sqnr] of sqnrsOf(truth, trial.int8)) {
      if (outputs?.includes(output) ?? true) expect(sqnr, output).toBeGreaterThanOrEqual(bar)
    }
    await expectRight(input, trial, bar, outputs)
    if (reference) await expectSameElsewhere(input, trial, bar, outputs)
  })
})
