import { expect, it } from 'vitest'
import { residualIntoConv } from '../../../lib/compile/steps/residual.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const convs = trimmed(`
  input x: float32[1, 2, 2, 1]
  constant w: float32[1, 1, 1, 1] = 2
  c: float32[1, 2, 2, 1] = Conv(x: x, w: w) float #first
  d: float32[1, 2, 2, 1] = Conv(x: c, w: w) float #second`)

it('of two convolutions the second takes the sum', () => {
  const before = `${convs}
    output y: float32[1, 2, 2, 1] = Binary(a: x, b: d) { fn: add } float #sum
    return y`
  expect(rewritten(residualIntoConv, before)).toBe(
    trimmed(`
    input x: float32[1, 2, 2, 1]
    constant w: float32[1, 1, 1, 1] = 2
    c: float32[1, 2, 2, 1] = Conv(x: x, w: w) float #first
    output y: float32[1, 2, 2, 1] = Conv(x: c, w: w, residual: x) float #second #sum
    return y`),
  )
})

it('a sum that broadcasts, and a difference, stay', () => {
  const broadcast = trimmed(`${convs}
    input r: float32[1, 1, 1, 1]
    output y: float32[1, 2, 2, 1] = Binary(a: r, b: d) { fn: add } float #sum
    return y`)
  expect(rewritten(residualIntoConv, broadcast)).toContain('Binary(a: r, b: d) { fn: add }')
  const difference = trimmed(`${convs}
    output y: float32[1, 2, 2, 1] = Binary(a: x, b: d) { fn: sub } float #sum
    return y`)
  expect(rewritten(residualIntoConv, difference)).toBe(difference)
})
