import { expect, it } from 'vitest'
import { scalarToUnary } from '../../../lib/compile/steps/scalar.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const plan = (call: string) => `
  input x: float32[4]
  constant c: float32[] = 3
  output y: float32[4] = ${call} float #node
  return y`

it.each([
  ['Binary(a: x, b: c) { fn: add }', '[1.0, 3.0]'],
  ['Binary(a: c, b: x) { fn: mul }', '[3.0, 0.0]'],
  ['Binary(a: x, b: c) { fn: sub }', '[1.0, -3.0]'],
  ['Binary(a: c, b: x) { fn: sub }', '[-1.0, 3.0]'],
])('%s is a function of one tensor', (call, params) => {
  expect(rewritten(scalarToUnary, plan(call))).toBe(
    trimmed(`
    input x: float32[4]
    output y: float32[4] = Unary(x: x) { fns: [affine], params: ${params} } float #node
    return y`),
  )
})

it('division rounds otherwise, and stays', () => {
  const before = trimmed(plan('Binary(a: x, b: c) { fn: div }'))
  expect(rewritten(scalarToUnary, before)).toBe(before)
})
