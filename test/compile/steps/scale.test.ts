import { expect, it } from 'vitest'
import { scaleIntoQuantize } from '../../../lib/compile/steps/scale.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const plan = (scaling: string, c: number) =>
  trimmed(`
  input a: float32[2, 3]
  input b: float32[3, 2]
  p: float32[2, 2] = MatMul(a: a, b: b) float #product
  constant c: float32[] = ${c}
  d: float32[2, 2] = ${scaling} float #scale
  constant s: float32[] = 0.5
  constant z: uint8[] = 7
  output q: uint8[2, 2] = QuantizeLinear(x: d, y: (s, z)) convert #q
  return q`)

it.each([
  ['Binary(a: p, b: c) { fn: mul }', 4, '0.125'],
  ['Binary(a: c, b: p) { fn: mul }', 4, '0.125'],
  ['Binary(a: p, b: c) { fn: div }', 8, '4'],
])('%s is part of the scale', (scaling, c, scale) => {
  const after = rewritten(scaleIntoQuantize, plan(scaling, c))
  expect(after).toContain(`constant %0: float32[] = ${scale}\n`)
  expect(after).toContain('QuantizeLinear(x: p, y: (%0, z)) convert #scale #q')
})

it.each([
  ['a negative factor', 'Binary(a: p, b: c) { fn: mul }', -4],
  ['a sum', 'Binary(a: p, b: c) { fn: add }', 4],
  ['a divisor that is the tensor', 'Binary(a: c, b: p) { fn: div }', 4],
])('%s is not', (_, scaling, c) => {
  expect(rewritten(scaleIntoQuantize, plan(scaling, c))).toContain('QuantizeLinear(x: d, y: (s, z))')
})
