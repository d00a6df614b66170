/** Products whose activations have levels within one of their zero point. */
import { describe, expect, it } from 'vitest'
import { markTernary } from '../../../lib/compile/steps/ternary.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const plan = (bounds: string, zero: number, between = '') =>
  trimmed(`
  input x: float32[2, 3]
  constant s: float32[] = 1
  constant z: int8[] = ${zero}
  q: int8[2, 3] = QuantizeLinear(x: x, y: (s, z)) { ${bounds} } convert
  ${between === '' ? 'alias p: int8[2, 3] of q' : between}
  constant w: int8[3, 2] = 1, -1, 1, 1, -1, -1
  output y: float32[2, 2] = QMatMul(a: p(s, z), b: w(s)) integer #product
  return y`)

const marked = 'QMatMul(a: p(s, z), b: w(s)) { ternary: 1 }'

describe('markTernary', () => {
  it.each([
    ['three levels around 0', 'qmax: 1, qmin: -1', 0],
    ['two levels above a zero point', 'qmax: 6, qmin: 5', 5],
  ])('%s', (_, bounds, zero) => {
    expect(rewritten(markTernary, plan(bounds, zero))).toContain(marked)
  })

  it('what moves levels has the same', () => {
    const moved = 'p: int8[2, 3] = Transpose(x: q) { perm: [0, 1] } data'
    expect(rewritten(markTernary, plan('qmax: 1, qmin: -1', 0, moved))).toContain(marked)
  })

  it.each([
    ['a level too far', 'qmax: 2, qmin: -1', 0],
    ['levels beside their zero point', 'qmax: 1, qmin: -1', 5],
    ['no bounds', 'axis: 0', 0],
  ])('%s stays', (_, bounds, zero) => {
    expect(rewritten(markTernary, plan(bounds, zero))).not.toContain('ternary')
  })
})
