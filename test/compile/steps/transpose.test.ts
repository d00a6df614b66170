import { expect, it } from 'vitest'
import { absorbTransposes } from '../../../lib/compile/steps/transpose.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const head = trimmed(`
  input p: uint8[1, 4, 2, 3]
  input r: uint8[1, 4, 2, 3]
  constant s: float32[] = 0.5`)

it('around a product are strides that it reads and writes with', () => {
  const before = `${head}
    a: uint8[1, 2, 4, 3] = Transpose(x: p) { perm: [0, 2, 1, 3] } data #a
    b: uint8[1, 2, 3, 4] = Transpose(x: r) { perm: [0, 2, 3, 1] } data #b
    m: uint8[1, 2, 4, 4] = QMatMul(a: a(s), b: b(s), y: (s)) integer #product
    output y: uint8[1, 4, 2, 4] = Transpose(x: m) { perm: [0, 2, 1, 3] } data #y
    return y`
  expect(rewritten(absorbTransposes, before)).toContain(
    'output y: uint8[1, 4, 2, 4] = QMatMul(a: p(s), b: r(s), y: (s)) ' +
      '{ perm_a: [0, 2, 1, 3], perm_b: [0, 2, 3, 1], perm_y: [0, 2, 1, 3] } integer #product #y',
  )
})

it('not where the last axis of the result moves, or one of a', () => {
  const before = trimmed(`${head}
    a: uint8[1, 4, 3, 2] = Transpose(x: p) { perm: [0, 1, 3, 2] } data
    input b: uint8[2, 4]
    m: uint8[1, 4, 3, 4] = QMatMul(a: a(s), b: b(s), y: (s)) integer
    output y: uint8[1, 4, 4, 3] = Transpose(x: m) { perm: [0, 1, 3, 2] } data
    return y`)
  expect(rewritten(absorbTransposes, before)).toContain(
    'm: uint8[1, 4, 3, 4] = QMatMul(a: a(s), b: b(s), y: (s)) integer',
  )
})
