import { describe, it } from 'vitest'
import { settleCaptures } from '../../lib/graph/subgraph.js'
import { expectRewrite, expectUntouched } from './golden.js'

describe('settleCaptures', () => {
  it('makes captured constants those of the owned graphs, and drops captures that nothing reads', () =>
    expectRewrite(
      settleCaptures,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        k: float32[2] = 1 2
        r = Relu(x)
        s = Abs(x)
        y = If(c) captures (r, k, s)
          else_branch () -> (e: ?) captures (a, b, d)
            e = Neg(a)
          then_branch () -> (t: ?) captures (a, b, d)
            t = Add(a, b)
      `,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        k: float32[2] = 1 2
        r = Relu(x)
        s = Abs(x)
        y = If(c) captures (r)
          else_branch () -> (e: ?) captures (a)
            b: float32[2] = 1 2
            e = Neg(a)
          then_branch () -> (t: ?) captures (a)
            b: float32[2] = 1 2
            t = Add(a, b)
      `,
    ))

  it('reaches graphs inside of owned graphs', () =>
    expectRewrite(
      settleCaptures,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        k: float32[2] = 1 2
        y = If(c) captures (c, k)
          else_branch () -> (e: ?) captures (p, q)
            e = Neg(q)
          then_branch () -> (t: ?) captures (p, q)
            t = If(p) captures (q)
              else_branch () -> (f: ?) captures (z)
                f = Abs(z)
              then_branch () -> (h: ?) captures (z)
                h = Exp(z)
      `,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        k: float32[2] = 1 2
        y = If(c) captures (c)
          else_branch () -> (e: ?) captures (p)
            q: float32[2] = 1 2
            e = Neg(q)
          then_branch () -> (t: ?) captures (p)
            q: float32[2] = 1 2
            t = If(p)
              else_branch () -> (f: ?)
                z: float32[2] = 1 2
                f = Abs(z)
              then_branch () -> (h: ?)
                z: float32[2] = 1 2
                h = Exp(z)
      `,
    ))

  it('leaves captures that are computed', () =>
    expectUntouched(
      settleCaptures,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        y = If(c) captures (x)
          else_branch () -> (e: ?) captures (a)
            e = Neg(a)
          then_branch () -> (t: ?) captures (a)
            t = Abs(a)
      `,
    ))
})
