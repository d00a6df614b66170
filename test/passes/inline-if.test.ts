import { describe, it } from 'vitest'
import { inlineIf } from '../../lib/passes/inline-if.js'
import { expectRewrite, expectUntouched } from './golden.js'

/** Inside, the branches capture `b` of the graph as `a`, and have a `b` of their own. */
const graphOf = (condition: number, then: string) => `
  graph g (x: float32[3]) -> (z: ?)
    c: bool[1] = ${condition}
    b = Relu(x)
    y = If(c) captures (b)
      else_branch () -> (t: ?) captures (a)
        b: float32[2] = 1 2
        t = Neg(a)
      ${then}
    z = Abs(y)
`

const arithmetic = `then_branch () -> (x: ?) captures (a)
        b: float32[3] = 1 2 3
        m = Mul(a, b)
        x = Exp(m)`

describe('inlineIf', () => {
  it('takes the branch, and renames what the graph around also has', () =>
    expectRewrite(
      inlineIf,
      graphOf(1, arithmetic),
      `
      graph g (x: float32[3]) -> (z: ?)
        c: bool[1] = 1
        b_1: float32[3] = 1 2 3
        b = Relu(x)
        m = Mul(b, b_1)
        y = Exp(m)
        z = Abs(y)
      `,
    ))

  it('takes the other branch', () =>
    expectRewrite(
      inlineIf,
      graphOf(0, arithmetic),
      `
      graph g (x: float32[3]) -> (z: ?)
        c: bool[1] = 0
        b_1: float32[2] = 1 2
        b = Relu(x)
        y = Neg(b)
        z = Abs(y)
      `,
    ))

  it('copies an output that the branch only captures', () =>
    expectRewrite(
      inlineIf,
      graphOf(1, 'then_branch () -> (a: ?) captures (a)'),
      `
      graph g (x: float32[3]) -> (z: ?)
        c: bool[1] = 1
        b = Relu(x)
        y = Identity(b)
        z = Abs(y)
      `,
    ))

  it('inlines an If within the branch', () =>
    expectRewrite(
      inlineIf,
      graphOf(
        1,
        `then_branch () -> (n: ?) captures (a)
        k: bool[1] = 1
        n = If(k) captures (a)
          else_branch () -> (f: ?) captures (a)
            f = Neg(a)
          then_branch () -> (s: ?) captures (a)
            s = Sqrt(a)`,
      ),
      `
      graph g (x: float32[3]) -> (z: ?)
        c: bool[1] = 1
        k: bool[1] = 1
        b = Relu(x)
        y = Sqrt(b)
        z = Abs(y)
      `,
    ))

  it('leaves a condition that is computed', () =>
    expectUntouched(
      inlineIf,
      graphOf(1, arithmetic)
        .replace('c: bool[1] = 1\n', '')
        .replace('x: float32[3]', 'x: float32[3], c: bool[1]'),
    ))
})
