import { expect, it } from 'vitest'
import { scaleRows } from '../../../lib/compile/steps/rows.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const product = `
  input q: uint8[3, 4]
  input z: uint8[3]
  input rs: float32[3, 1]
  constant one: float32[] = 1
  constant w: int8[4, 2] = 1, 2, 3, 4, 5, 6, 7, 8
  constant ws: float32[2] = 0.5, 0.25
  m: int32[3, 2] = QMatMul(a: q(one, z), b: w(one)) integer #product
  f: float32[3, 2] = Cast(x: m) float #cast`

it('scales of rows, then of columns, become those of the product', () => {
  const before = `${product}
    r: float32[3, 2] = Binary(a: f, b: rs) { fn: mul } float #rows
    output y: float32[3, 2] = Binary(a: r, b: ws) { fn: mul } float #columns
    return y`
  expect(rewritten(scaleRows, before)).toBe(
    trimmed(`
    input q: uint8[3, 4]
    input z: uint8[3]
    input rs: float32[3, 1]
    constant w: int8[4, 2] = 1, 2, 3, 4, 5, 6, 7, 8
    constant ws: float32[2] = 0.5, 0.25
    output y: float32[3, 2] = QMatMul(a: q(rs, z), b: w(ws)) integer #product #cast #rows #columns
    return y`),
  )
})

it('scales of columns first are another arithmetic, which the product states', () => {
  const before = `${product}
    c: float32[3, 2] = Binary(a: f, b: ws) { fn: mul } float #columns
    output y: float32[3, 2] = Binary(a: rs, b: c) { fn: mul } float #rows
    return y`
  expect(rewritten(scaleRows, before)).toContain(
    'y: float32[3, 2] = QMatMul(a: q(rs, z), b: w(ws)) { scale_order: b_first } integer #product #cast #columns #rows',
  )
})

const dynamic = `
  input x: float32[3, 4]
  q: uint8[3, 4], s: float32[], z: uint8[] = DynamicQuantizeLinear(x: x) float #q
  constant one: float32[] = 1
  constant w: int8[4, 2] = 1, 2, 3, 4, 5, 6, 7, 8
  constant ws: float32[2] = 0.5, 0.25
  constant bias: float32[1, 2] = 3, 4
  constant negative: float32[2] = 0.5, -0.25
  m: int32[3, 2] = QMatMul(a: q(one, z), b: w(one)) integer #product
  f: float32[3, 2] = Cast(x: m) float #cast
  sw: float32[2] = Binary(a: ws, b: s) { fn: mul } float #scales`

it('the product of both scales, and a bias', () => {
  const before = `${dynamic}
    r: float32[3, 2] = Binary(a: f, b: sw) { fn: mul } float #mul
    output y: float32[3, 2] = Binary(a: bias, b: r) { fn: add } float #bias
    return y`
  expect(rewritten(scaleRows, before)).toContain(
    'y: float32[3, 2] = QMatMul(a: q(s, z), b: w(ws), bias: bias%0) integer #product #cast #mul #bias',
  )
})

it.each([
  ['a factor that is no scale', 'r: float32[3, 2] = Binary(a: f, b: negative) { fn: mul } float #mul'],
  ['a factor of elements', 'r: float32[3, 2] = Binary(a: f, b: f) { fn: mul } float #mul'],
  ['an addition', 'r: float32[3, 2] = Binary(a: f, b: ws) { fn: add } float #mul'],
])('%s stays', (_, step) => {
  const before = `${dynamic}
    ${step}
    output y: float32[3, 2] = Unary(x: r) { fns: [abs], params: [] } float #abs
    return y`
  const after = rewritten(scaleRows, before)
  expect(after).toContain(step)
  expect(after).toContain('f: float32[3, 2] = Cast(x: m) float #cast')
})

it('sums that something else reads stay', () => {
  const before = `${dynamic}
    output r: float32[3, 2] = Binary(a: f, b: sw) { fn: mul } float #mul
    output y: int32[3, 2] = Unary(x: m) { fns: [abs], params: [] } float #abs
    return r, y`
  expect(rewritten(scaleRows, before)).toContain('f: float32[3, 2] = Cast(x: m) float #cast')
})
