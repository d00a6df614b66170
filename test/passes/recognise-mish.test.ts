import { describe, it } from 'vitest'
import { recogniseMish } from '../../lib/passes/recognise-mish.js'
import { expectRewrite, expectUntouched } from './golden.js'

const graphOf = (inner: string, product: string) => `
  graph g (x: float32[2, 3]) -> (y: ?)
    n = Neg(x)
    p = Softplus(${inner})
    t = Tanh(p)
    ${product}
`

describe('recogniseMish', () => {
  it.each(['x, t', 't, x'])('finds x * Tanh(Softplus(x)), as Mul(%s)', (operands) =>
    expectRewrite(
      recogniseMish,
      graphOf('x', `y = Mul(${operands})`),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        y = Mish(x)
      `,
    ),
  )

  it('leaves the Softplus of something else', () =>
    expectUntouched(recogniseMish, graphOf('n', 'y = Mul(x, t)')))

  it('leaves a sum', () => expectUntouched(recogniseMish, graphOf('x', 'y = Add(x, t)')))
})
