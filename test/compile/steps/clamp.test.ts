import { describe, expect, it } from 'vitest'
import { clampIntoFloat, clampIntoQuantize } from '../../../lib/compile/steps/clamp.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

describe('clampIntoQuantize', () => {
  const head = trimmed(`
    input x: float32[4]
    constant s: float32[] = 0.5
    constant z: uint8[] = 10`)

  it('takes Relu and Clip, one after the other, as bounds', () => {
    const before = `${head}
      a: float32[4] = Unary(x: x) { fns: [clip], params: [-1.0, 40.0] } float #clip
      b: float32[4] = Unary(x: a) { fns: [relu] } float #relu
      output q: uint8[4] = QuantizeLinear(x: b, y: (s, z)) convert #q
      return q`
    expect(rewritten(clampIntoQuantize, before)).toContain(
      'output q: uint8[4] = QuantizeLinear(x: x, y: (s, z)) { qmax: 90, qmin: 10 } convert #clip #relu #q',
    )
  })

  it('leaves functions that do more, and scales that only a run knows', () => {
    const tanh = trimmed(`${head}
      a: float32[4] = Unary(x: x) { fns: [tanh] } float
      output q: uint8[4] = QuantizeLinear(x: a, y: (s, z)) convert
      return q`)
    expect(rewritten(clampIntoQuantize, tanh)).toContain('QuantizeLinear(x: a, y: (s, z)) convert')
    const dynamic = `
      input x: float32[4]
      input s: float32[]
      a: float32[4] = Unary(x: x) { fns: [relu] } float
      output q: uint8[4] = QuantizeLinear(x: a, y: (s)) convert
      return q`
    expect(rewritten(clampIntoQuantize, dynamic)).toBe(trimmed(dynamic))
  })
})

describe('clampIntoFloat', () => {
  const product = trimmed(`
    input a: float32[2, 3]
    constant b: float32[3, 2] = 1, 2, 3, 4, 5, 6
    c: float32[2, 2] = MatMul(a: a, b: b) float #product`)

  it('makes Relu the function of the product', () => {
    const before = `${product}
      output y: float32[2, 2] = Unary(x: c) { fns: [relu] } float #relu
      return y`
    expect(rewritten(clampIntoFloat, before)).toBe(
      trimmed(`
      input a: float32[2, 3]
      constant b: float32[3, 2] = 1, 2, 3, 4, 5, 6
      output y: float32[2, 2] = MatMul(a: a, b: b) { fn: clip, hi: Infinity, lo: 0.0 } float #product #relu
      return y`),
    )
  })

  it('leaves a product with a function, and one that is read twice', () => {
    const twice = trimmed(`${product}
      output y: float32[2, 2] = Unary(x: c) { fns: [relu] } float
      output z: float32[2, 2] = Unary(x: c) { fns: [tanh] } float
      return y, z`)
    expect(rewritten(clampIntoFloat, twice)).toBe(twice)
  })
})
