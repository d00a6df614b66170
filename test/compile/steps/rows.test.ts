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

it.each([
  ['the other order, which rounds differently', 'Binary(a: f, b: ws)', 'Binary(a: r, b: rs)'],
  ['one factor for all', 'Binary(a: f, b: one)', 'Binary(a: r, b: ws)'],
])('%s stays', (_, first, second) => {
  const before = trimmed(`${product}
    r: float32[3, 2] = ${first} { fn: mul } float #rows
    output y: float32[3, 2] = ${second} { fn: mul } float #columns
    return y`)
  expect(rewritten(scaleRows, before)).toContain(`r: float32[3, 2] = ${first} { fn: mul } float #rows`)
})
