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

it('has what else reads the value read the state after it is written', () => {
  const text = rewritten(
    writeStatesDirectly,
    `
      input x: float32[4]
      state s: float32[4]
      t: float32[4] = Binary(a: s, b: x) { fn: add } float
      output y: float32[4] = Unary(x: t) { fns: [tanh] } float
      state s: float32[4] = Copy(x: t) data
      return y`,
  )
  expect(text).toMatchInlineSnapshot(`
    "input x: float32[4]
    state s: float32[4]
    state s%0: float32[4] = Binary(a: s, b: x) { fn: add } float
    output y: float32[4] = Unary(x: s%0) { fns: [tanh], reads_updated: [0] } float
    return y
    "
  `)
})
