import { describe, it } from 'vitest'
import { mergeGemm } from '../../lib/passes/merge-gemm.js'
import { expectRewrite, expectUntouched } from './golden.js'

const graphOf = (sizes: string, bias: string, sum: string) => `
  graph g (x: float32[${sizes}]) -> (y: ?)
    w: float32[2, 3] = 1 ...
    b: float32[${bias}] = 5 ...
    m = MatMul(x, w)
    ${sum}
`

describe('mergeGemm', () => {
  it.each(['m, b', 'b, m'])('makes a Gemm of MatMul and Add(%s)', (operands) =>
    expectRewrite(
      mergeGemm,
      graphOf('n, 2', '3', `y = Add(${operands})`),
      `
      graph g (x: float32[n, 2]) -> (y: ?)
        w: float32[2, 3] = 1 1 1 1 1 1
        b: float32[3] = 5 5 5
        y = Gemm(x, w, b)
      `,
    ),
  )

  it.each([
    ['a product of rank 3', graphOf('4, n, 2', '3', 'y = Add(m, b)')],
    ['a bias that is not one per column', graphOf('n, 2', '1', 'y = Add(m, b)')],
    ['a bias per row', graphOf('n, 2', '2, 1', 'y = Add(m, b)')],
    ['a product that others read', graphOf('n, 2', '3', 's = Add(m, b)\n    y = Mul(s, m)')],
    ['a product that is scaled', graphOf('n, 2', '3', 'y = Mul(m, b)')],
  ])('leaves %s', (_, text) => expectUntouched(mergeGemm, text))

  it('leaves weights that are computed', () =>
    expectUntouched(
      mergeGemm,
      `
      graph g (x: float32[n, 2], w: float32[2, 3]) -> (y: ?)
        b: float32[3] = 1 2 3
        m = MatMul(x, w)
        y = Add(m, b)
      `,
    ))
})
