import { expect, it } from 'vitest'
import { hoistQuantize } from '../../../lib/compile/steps/hoist.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

it('a quantizer rises above a Transpose and an alias', () => {
  const before = `
    input x: float32[2, 3]
    u: float32[2, 3] = Unary(x: x) { fns: [tanh] } float #tanh
    t: float32[3, 2] = Transpose(x: u) { perm: [1, 0] } data #t
    alias a: float32[6] of t
    constant s: float32[] = 0.5
    constant z: uint8[] = 3
    q: uint8[6] = QuantizeLinear(x: a, y: (s, z)) convert #q
    output y: uint8[6] = Copy(x: q) data
    return y`
  expect(rewritten(hoistQuantize, before)).toBe(
    trimmed(`
    input x: float32[2, 3]
    u: float32[2, 3] = Unary(x: x) { fns: [tanh] } float #tanh
    constant s: float32[] = 0.5
    constant z: uint8[] = 3
    q: uint8[2, 3] = QuantizeLinear(x: u, y: (s, z)) convert #q
    q%0: uint8[3, 2] = Transpose(x: q) { perm: [1, 0] } data #t
    alias q%1: uint8[6] of q%0
    output y: uint8[6] = Copy(x: q%1) data
    return y`),
  )
})

it('above no step that others read, and none that leaves elements out', () => {
  const before = trimmed(`
    input x: float32[4]
    u: float32[4] = Unary(x: x) { fns: [tanh] } float
    c: float32[2] = Slice(x: u) { starts: [1], steps: [1] } data
    constant s: float32[] = 0.5
    constant z: uint8[] = 3
    output q: uint8[2] = QuantizeLinear(x: c, y: (s, z)) convert
    e: float32[2, 4] = Expand(x: u) data
    output r: uint8[2, 4] = QuantizeLinear(x: e, y: (s, z)) convert
    output f: float32[2, 4] = Copy(x: e) data
    return q, r, f`)
  expect(rewritten(hoistQuantize, before)).toBe(before)
})
