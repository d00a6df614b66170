import { describe, expect, it } from 'vitest'
import { quantizeRows } from '../../../lib/compile/steps/quantize-rows.js'
import { rewritten } from '../../helpers/plan-text.js'

const affine = `
  input x: float32[3, 4]
  constant zero: float32[] = 0
  constant steps: float32[] = 255
  constant tiny: float32[] = 0.001
  constant one: float32[] = 1
  constant w: int8[4, 2] = 1, 2, 3, 4, 5, 6, 7, 8
  constant columns: int32[2] = 16, 20
  constant others: int32[2] = 16, 21
  lo: float32[3, 1] = Reduce(x: x) { axes: [1], fn: min } float #lo
  l: float32[3, 1] = Binary(a: lo, b: zero) { fn: min } float #l
  hi: float32[3, 1] = Reduce(x: x) { axes: [1], fn: max } float #hi
  h: float32[3, 1] = Binary(a: zero, b: hi) { fn: max } float #h
  width: float32[3, 1] = Binary(a: h, b: l) { fn: sub } float #width
  r: float32[3, 1] = Binary(a: width, b: steps) { fn: div } float #r
  s: float32[3, 1] = Binary(a: r, b: tiny) { fn: max } float #s
  n: float32[3, 1] = Unary(x: l) { fns: [neg], params: [] } float #n
  nr: float32[3, 1] = Binary(a: n, b: s) { fn: div } float #nr
  z: float32[3, 1] = Unary(x: nr) { fns: [round], params: [] } float #z
  xr: float32[3, 4] = Binary(a: x, b: s) { fn: div } float #xr
  xq: float32[3, 4] = Unary(x: xr) { fns: [round], params: [] } float #xq
  xz: float32[3, 4] = Binary(a: xq, b: z) { fn: add } float #xz
  xc: float32[3, 4] = Unary(x: xz) { fns: [clip], params: [0.0, 255.0] } float #xc
  q: uint8[3, 4] = Cast(x: xc) { saturate: 1 } data #q
  m: int32[3, 2] = QMatMul(a: q(one), b: w(one)) integer #m
  zi: int32[3, 1] = Cast(x: z) { saturate: 1 } data #zi
  t: int32[3, 2] = Binary(a: zi, b: columns) { fn: mul } float #t
  output y: int32[3, 2] = Binary(a: m, b: t) { fn: sub } float #y
  return y`

const symmetric = `
  input x: float32[3, 4]
  constant steps: float32[] = 127
  a: float32[3, 4] = Unary(x: x) { fns: [abs], params: [] } float #a
  h: float32[3, 1] = Reduce(x: a) { axes: [1], fn: max } float #h
  s: float32[3, 1] = Binary(a: h, b: steps) { fn: div } float #s
  xr: float32[3, 4] = Binary(a: x, b: s) { fn: div } float #xr
  xq: float32[3, 4] = Unary(x: xr) { fns: [round], params: [] } float #xq
  output q: int8[3, 4] = Cast(x: xq) { saturate: 1 } data #q
  return q`

const ROWS = /QuantizeRows/

describe('quantizeRows', () => {
  it('rows with zero points, which the product takes', () => {
    const after = rewritten(quantizeRows, affine)
    expect(after).toContain(
      'q: uint8[3, 4], s: float32[3, 1], q_zero_point: uint8[3, 1] = QuantizeRows(x: x) { least: 0.0010000000474974513, levels: 255.0, qmax: 255, qmin: 0, symmetric: 0 } convert #s #q',
    )
    expect(after).toContain(
      'output y: int32[3, 2] = QMatMul(a: q(one, q_zero_point), b: w(one)) integer #m #t #y',
    )
    expect(after).not.toMatch(/Cast\(x: xc\)/)
  })

  it('int8 levels have a zero point from -128 on', () => {
    const text = affine
      .replace('params: [0.0, 255.0]', 'params: [-128.0, 127.0]')
      .replace('q: uint8', 'q: int8')
      .replace('constant one:', 'constant least: float32[] = -128\n  constant one:')
      .replace(
        'xz: float32[3, 4] = Binary(a: xq, b: z)',
        'zz: float32[3, 1] = Binary(a: z, b: least) { fn: add } float #zz\n  xz: float32[3, 4] = Binary(a: xq, b: zz)',
      )
      .replace('Cast(x: z)', 'Cast(x: zz)')
    const after = rewritten(quantizeRows, text)
    expect(after).toContain(
      '= QuantizeRows(x: x) { least: 0.0010000000474974513, levels: 255.0, qmax: 127, qmin: -128, symmetric: 0 }',
    )
    expect(after).toContain('QMatMul(a: q(one, q_zero_point), b: w(one))')
  })

  it('symmetric rows', () => {
    expect(rewritten(quantizeRows, symmetric)).toContain(
      'output q: int8[3, 4], s: float32[3, 1] = QuantizeRows(x: x) { least: 0.0, levels: 127.0, qmax: 127, qmin: -128, symmetric: 1 } convert #s #q',
    )
  })

  it('QuantizeLinear of the rows of a matrix', () => {
    const text = symmetric
      .replace(/ {2}xr: .*\n.*\n.*\n/, '')
      .replace(
        'return q',
        'output q: int8[3, 4] = QuantizeLinear(x: x, y: (s1)) { axis: 0, block_size: 0 } convert #q\n  return q',
      )
      .replace(
        '  output q: int8[3, 4] = Quant',
        '  alias s1: float32[3] of s\n  output q: int8[3, 4] = Quant',
      )
    expect(rewritten(quantizeRows, text)).toContain('s: float32[3, 1] = QuantizeRows(x: x)')
    expect(
      rewritten(
        quantizeRows,
        text
          .replace('axis: 0', 'axis: 1')
          .replace('s1: float32[3]', 's1: float32[4]')
          .replaceAll('[3, 4]', '[3, 4]'),
      ),
    ).not.toMatch(ROWS)
  })

  it('a product with other column sums keeps its own term', () => {
    const after = rewritten(quantizeRows, affine.replace('b: columns', 'b: others'))
    expect(after).toMatch(ROWS)
    expect(after).toContain('QMatMul(a: q(one), b: w(one)) integer #m')
  })

  it.each([
    ['a range without 0', 'Binary(a: lo, b: zero) { fn: min }', 'Binary(a: lo, b: one) { fn: min }'],
    ['columns', 'Reduce(x: x) { axes: [1], fn: min }', 'Reduce(x: x) { axes: [0], fn: min }'],
    [
      'another zero point',
      'nr: float32[3, 1] = Binary(a: n, b: s)',
      'nr: float32[3, 1] = Binary(a: n, b: r)',
    ],
    [
      'another order of rounding',
      'xq: float32[3, 4] = Unary(x: xr) { fns: [round]',
      'xq: float32[3, 4] = Unary(x: xr) { fns: [floor]',
    ],
    [
      'a factor',
      'xr: float32[3, 4] = Binary(a: x, b: s) { fn: div }',
      'xr: float32[3, 4] = Binary(a: x, b: s) { fn: mul }',
    ],
    ['bounds that are no levels', 'params: [0.0, 255.0]', 'params: [0.5, 255.0]'],
  ])('%s stays', (_, from, to) => {
    expect(affine).toContain(from)
    expect(rewritten(quantizeRows, affine.replace(from, to))).not.toMatch(ROWS)
  })
})
