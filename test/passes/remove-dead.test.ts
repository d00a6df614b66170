import { describe, it } from 'vitest'
import { removeDead } from '../../lib/graph/rewrite.js'
import { expectRewrite, expectUntouched } from './golden.js'

describe('removeDead', () => {
  it('drops nodes and constants that no output depends on, and what only they read', () =>
    expectRewrite(
      removeDead,
      `
      graph g (x: float32[2]) -> (y: ?)
        k: float32[2] = 1 2
        w: float32[2] = 3 4
        a = Add(x, k)
        b = Neg(a)
        y = Mul(x, w)
      `,
      `
      graph g (x: float32[2]) -> (y: ?)
        w: float32[2] = 3 4
        y = Mul(x, w)
      `,
    ))

  it('keeps a node for one of its outputs, and what an owned graph captures', () =>
    expectUntouched(
      removeDead,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        s: int64[2] = 1 1
        a, b = Split(x, s) {axis=0}
        y = If(c) captures (a)
          else_branch () -> (e: ?) captures (z)
            e = Neg(z)
          then_branch () -> (t: ?) captures (z)
            t = Abs(z)
      `,
    ))
})
