import { describe, expect, it } from 'vitest'
import { fuseEpilogues } from '../../../lib/compile/steps/epilogue.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const product = trimmed(`
  input x: uint8[2, 2]
  constant s: float32[] = 0.5
  constant z: uint8[] = 3
  constant w: int8[2, 2] = 1, 2, 3, 4
  c: uint8[2, 2] = QMatMul(a: x(s, z), b: w(s), y: (s, z)) { qmax: 200 } integer #product`)

describe('after a product', () => {
  it('Relu is a bound', () => {
    const before = `${product}
      output y: uint8[2, 2] = QUnary(x: c(s, z), y: (s, z)) { fns: [relu] } integer #relu
      return y`
    expect(rewritten(fuseEpilogues, before)).toContain(
      'output y: uint8[2, 2] = QMatMul(a: x(s, z), b: w(s), y: (s, z)) { qmax: 200, qmin: 3 } integer #product #relu',
    )
  })

  it('another function is a table', () => {
    const before = `${product}
      constant t: float32[] = 0.25
      output y: uint8[2, 2] = QUnary(x: c(s, z), y: (t, z)) { fns: [tanh] } integer #tanh
      return y`
    const after = rewritten(fuseEpilogues, before)
    expect(after).toContain(
      'y_table: uint8[256] = QTable(x: (s, z), y: (t, z)) { fns: [tanh], unsigned: 1 } data\n',
    )
    expect(after).toContain(
      'QMatMul(a: x(s, z), b: w(s), y: (s, z), table: y_table) { qmax: 200 } integer #product #tanh',
    )
  })

  it('a transposed convolution takes bounds, and leaves every other function to a step', () => {
    const transposed = trimmed(`
      input x: uint8[1, 3, 2]
      constant s: float32[] = 0.5
      constant z: uint8[] = 3
      constant w: int8[2, 2, 1] = 1, 2, 3, 4
      c: uint8[1, 3, 2] = QConvTranspose(x: x(s, z), w: w(s), y: (s, z)) integer #product`)
    const relu = `${transposed}
      output y: uint8[1, 3, 2] = QUnary(x: c(s, z), y: (s, z)) { fns: [relu] } integer #relu
      return y`
    expect(rewritten(fuseEpilogues, relu)).toContain(
      'QConvTranspose(x: x(s, z), w: w(s), y: (s, z)) { qmax: 255, qmin: 3 }',
    )
    const tanh = relu.replace('[relu]', '[tanh]')
    expect(rewritten(fuseEpilogues, tanh)).toContain('QUnary(x: c(s, z), y: (s, z)) { fns: [tanh] }')
  })

  it('a sum is a residual, and its Relu bounds the sum', () => {
    const before = `${product}
      constant t: float32[] = 0.25
      m: uint8[2, 2] = QBinary(a: x(s, z), b: c(s, z), y: (t, z)) { fn: add } integer #sum
      output y: uint8[2, 2] = QUnary(x: m(t, z), y: (t, z)) { fns: [relu] } integer #relu
      return y`
    expect(rewritten(fuseEpilogues, before)).toContain(
      'QMatMul(a: x(s, z), b: w(s), y: (s, z), residual: x(s, z), sum: (t, z)) ' +
        '{ qmax: 200, sum_qmax: 255, sum_qmin: 3 } integer #product #sum #relu',
    )
  })

  it('what reads it with other parameters stays, and so does what follows a table', () => {
    const other = trimmed(`${product}
      constant t: float32[] = 0.25
      output y: uint8[2, 2] = QUnary(x: c(t, z), y: (t, z)) { fns: [tanh] } integer
      return y`)
    expect(rewritten(fuseEpilogues, other)).toBe(other)
    const two = `${product}
      constant t: float32[] = 0.25
      a: uint8[2, 2] = QUnary(x: c(s, z), y: (t, z)) { fns: [tanh] } integer
      output y: uint8[2, 2] = QUnary(x: a(t, z), y: (t, z)) { fns: [exp] } integer
      return y`
    expect(rewritten(fuseEpilogues, two)).toContain('QUnary(x: a(t, z), y: (t, z)) { fns: [exp] }')
  })
})
