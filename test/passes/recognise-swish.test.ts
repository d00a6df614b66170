import { describe, it } from 'vitest'
import { recogniseSwish } from '../../lib/passes/recognise-swish.js'
import { expectRewrite, expectUntouched } from './golden.js'

describe('recogniseSwish', () => {
  it.each(['s, x', 'x, s'])('finds x * Sigmoid(x), as Mul(%s)', (operands) =>
    expectRewrite(
      recogniseSwish,
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        s = Sigmoid(x)
        y = Mul(${operands})
      `,
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        y = Swish(x)
      `,
    ),
  )

  it('leaves the sigmoid of something else', () =>
    expectUntouched(
      recogniseSwish,
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        z = Neg(x)
        s = Sigmoid(z)
        y = Mul(s, x)
      `,
    ))

  it('leaves a product that is scaled', () =>
    expectUntouched(
      recogniseSwish,
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        two: float32[] = 2
        s = Sigmoid(x)
        d = Mul(s, two)
        y = Mul(d, x)
      `,
    ))

  it('keeps the sigmoid for its other readers', () =>
    expectRewrite(
      recogniseSwish,
      `
      graph g (x: float32[2, 3]) -> (y: ?, s: ?)
        s = Sigmoid(x)
        y = Mul(x, s)
      `,
      `
      graph g (x: float32[2, 3]) -> (y: ?, s: ?)
        s = Sigmoid(x)
        y = Swish(x)
      `,
    ))
})
