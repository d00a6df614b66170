import { expect, it } from 'vitest'
import { mergeUnary } from '../../../lib/compile/steps/unary.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

it('functions one after the other are one step', () => {
  const before = `
    input x: float32[4]
    a: float32[4] = Unary(x: x) { fns: [affine], params: [2.0, 1.0] } float #scale
    b: float32[4] = Unary(x: a) { fns: [tanh] } float #tanh
    output y: float32[4] = Unary(x: b) { fns: [leakyrelu], params: [0.1] } float #leaky
    return y`
  expect(rewritten(mergeUnary, before)).toBe(
    trimmed(`
    input x: float32[4]
    output y: float32[4] = Unary(x: x) { fns: [affine, tanh, leakyrelu], params: [2.0, 1.0, 0.1] } float #scale #tanh #leaky
    return y`),
  )
})

it('a result that is read twice, or of another type, stays', () => {
  const before = trimmed(`
    input x: float32[4]
    a: float32[4] = Unary(x: x) { fns: [tanh] } float
    output y: float32[4] = Unary(x: a) { fns: [exp] } float
    output z: float32[4] = Unary(x: a) { fns: [log] } float
    n: bool[4] = Unary(x: z) { fns: [isnan] } float
    output m: bool[4] = Unary(x: n) { fns: [not] } float
    return y, z, m`)
  expect(rewritten(mergeUnary, before)).toBe(before)
})
