import { expect, it } from 'vitest'
import { fuseBias } from '../../../lib/compile/steps/bias.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const product = `
  input a: float32[N, 3]
  constant b: float32[3, 2] = 1, 2, 3, 4, 5, 6
  c: float32[N, 2] = MatMul(a: a, b: b) float #product`

it('a constant along the columns becomes the bias of the product', () => {
  const before = `${product}
    constant v: float32[1, 2] = 7, 8
    output y: float32[N, 2] = Binary(a: v, b: c) { fn: add } float #sum
    return y`
  expect(rewritten(fuseBias, before)).toBe(
    trimmed(`
    input a: float32[N, 3]
    constant b: float32[3, 2] = 1, 2, 3, 4, 5, 6
    constant v: float32[1, 2] = 7, 8
    alias v%0: float32[2] of v
    output y: float32[N, 2] = MatMul(a: a, b: b, bias: v%0) float #product #sum
    return y`),
  )
})

it.each([
  ['one number per row', 'constant v: float32[2, 1] = 7, 8', 'Binary(a: c, b: v) { fn: add }'],
  ['another function', 'constant v: float32[2] = 7, 8', 'Binary(a: c, b: v) { fn: mul }'],
  ['what only a run knows', 'input v: float32[2]', 'Binary(a: c, b: v) { fn: add }'],
])('%s is none', (_, operand, sum) => {
  const before = trimmed(`${product}
    ${operand}
    output y: float32[N, 2] = ${sum} float #sum
    return y`)
  expect(rewritten(fuseBias, before).split('\n').sort()).toEqual(before.split('\n').sort())
})

it('a product that something else reads keeps its own result', () => {
  const before = trimmed(`${product}
    constant v: float32[2] = 7, 8
    output y: float32[N, 2] = Binary(a: c, b: v) { fn: add } float #sum
    output z: float32[N, 2] = Copy(x: c) data
    return y, z`)
  expect(rewritten(fuseBias, before)).toBe(before)
})
