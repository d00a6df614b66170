import { describe, it } from 'vitest'
import { recogniseGelu } from '../../lib/passes/recognise-gelu.js'
import { expectRewrite, expectUntouched } from './golden.js'

describe('recogniseGelu', () => {
  const byErf = (...lines: string[]) => `
    graph g (x: float32[2, 3]) -> (y: ?)
      half: float32[] = 0.5
      one: float32[] = 1
      root: float32[] = ${Math.SQRT2}
      inverse: float32[] = ${Math.SQRT1_2}
      ${lines.join('\n      ')}
  `
  const halfLast = ['d = Div(x, root)', 'e = Erf(d)', 'a = Add(e, one)', 'm = Mul(x, a)', 'y = Mul(m, half)']
  const halfFirst = [
    'h = Mul(x, half)',
    'd = Mul(x, inverse)',
    'e = Erf(d)',
    'a = Add(one, e)',
    'y = Mul(h, a)',
  ]
  const found = `
    graph g (x: float32[2, 3]) -> (y: ?)
      y = Gelu(x)
  `

  it('finds it by Erf, the half last', () => expectRewrite(recogniseGelu, byErf(...halfLast), found))

  it('finds it by Erf, the half first', () => expectRewrite(recogniseGelu, byErf(...halfFirst), found))

  it('leaves Erf of x itself', () =>
    expectUntouched(
      recogniseGelu,
      byErf('e = Erf(x)', 'a = Add(e, one)', 'm = Mul(x, a)', 'y = Mul(m, half)'),
    ))

  const byTanh = (factor: number) => `
    graph g (x: float32[2, 3]) -> (y: ?)
      three: float32[] = 3
      cubic: float32[] = ${factor}
      root: float32[] = 0.7978846
      one: float32[] = 1
      half: float32[] = 0.5
      p = Pow(x, three)
      q = Mul(p, cubic)
      s = Add(x, q)
      r = Mul(s, root)
      t = Tanh(r)
      a = Add(t, one)
      m = Mul(x, a)
      y = Mul(m, half)
  `

  it('finds its approximation by Tanh', () =>
    expectRewrite(
      recogniseGelu,
      byTanh(0.044715),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        y = Gelu(x) {approximate="tanh"}
      `,
    ))

  it('leaves another cubic', () => expectUntouched(recogniseGelu, byTanh(0.05)))
})
