import { expect, it } from 'vitest'
import { cancelPairs } from '../../../lib/compile/steps/pairs.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const plan = (quantize: string) =>
  trimmed(`
  input q: uint8[4]
  constant s: float32[] = 0.5
  constant z: uint8[] = 3
  x: float32[4] = DequantizeLinear(x: q(s, z)) convert #dq
  constant t: float32[] = 0.25
  r: uint8[4] = ${quantize} convert #q
  output y: uint8[4] = Copy(x: r) data
  return y`)

it('with the same parameters nothing is left', () => {
  const after = rewritten(cancelPairs, plan('QuantizeLinear(x: x, y: (s, z))'))
  expect(after).toContain('alias r: uint8[4] of q\noutput y: uint8[4] = Copy(x: r)')
  expect(after).not.toContain('QuantizeLinear(x: x')
})

it.each([
  [
    'another scale',
    'QuantizeLinear(x: x, y: (t, z))',
    'QUnary(x: q(s, z), y: (t, z)) { fns: [], params: [] }',
  ],
  [
    'bounds',
    'QuantizeLinear(x: x, y: (s, z)) { qmin: 3 }',
    'QUnary(x: q(s, z), y: (s, z)) { fns: [], params: [], qmin: 3 }',
  ],
])('%s make a table', (_, before, after) => {
  expect(rewritten(cancelPairs, plan(before))).toContain(`r: uint8[4] = ${after} integer #q`)
})
