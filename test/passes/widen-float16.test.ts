import { describe, it } from 'vitest'
import { widenFloat16 } from '../../lib/passes/widen-float16.js'
import { expectRewrite, expectUntouched } from './golden.js'

describe('widenFloat16', () => {
  it.each([
    ['float16', 10],
    ['bfloat16', 16],
  ])('computes in float32 between an input and an output of %s', (half, number) =>
    expectRewrite(
      widenFloat16,
      `
      graph g (x: ${half}[2]) -> (y: ${half}[2])
        w: ${half}[2] = 1 0.5
        y = Mul(x, w)
      `,
      `
      graph g (x: ${half}[2]) -> (y: ${half}[2])
        w:half: ${half}[2] = 1 0.5
        w = Cast(w:half) {to=1}
        x:wide = Cast(x) {to=1}
        y:wide = Mul(x:wide, w)
        y = Cast(y:wide) {to=${number}}
      `,
    ),
  )

  it('turns casts to float16 into casts to float32, in owned graphs too', () =>
    expectRewrite(
      widenFloat16,
      `
      graph g (x: float32[2], c: bool[]) -> (y: float32[2])
        h = Cast(x) {to=10}
        n = Neg(h)
        y = If(c) captures (n)
          else_branch () -> (e: float32[2]) captures (b)
            e = Cast(b) {to=1}
          then_branch () -> (t: float32[2]) captures (b)
            k: float16[2] = 1 2
            s = Add(b, k)
            t = Cast(s) {to=1}
      `,
      `
      graph g (x: float32[2], c: bool[]) -> (y: float32[2])
        h = Cast(x) {to=1}
        n = Neg(h)
        y = If(c) captures (n)
          else_branch () -> (e: float32[2]) captures (b)
            e = Cast(b) {to=1}
          then_branch () -> (t: float32[2]) captures (b)
            k:half: float16[2] = 1 2
            k = Cast(k:half) {to=1}
            s = Add(b, k)
            t = Cast(s) {to=1}
      `,
    ))

  it('leaves a graph of float32, casts to integers included', () =>
    expectUntouched(
      widenFloat16,
      `
      graph g (x: float32[2]) -> (y: int32[2])
        y = Cast(x) {to=6}
      `,
    ))
})
