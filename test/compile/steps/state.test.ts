import { expect, it } from 'vitest'
import { writeStatesDirectly } from '../../../lib/compile/steps/state.js'
import { rewritten } from '../../helpers/plan-text.js'

it('lets the step that computes a value write the state', () => {
  const text = rewritten(
    writeStatesDirectly,
    `
      input x: float32[4]
      t: float32[4] = Unary(x: x) { fns: [exp] } float
      state s: float32[4] = Copy(x: t) data
      output y: float32[4] = Unary(x: x) { fns: [tanh] } float
      return y`,
  )
  expect(text).toContain('state s: float32[4] = Unary(x: x) { fns: [exp] } float')
  expect(text).not.toContain('Copy')
})
