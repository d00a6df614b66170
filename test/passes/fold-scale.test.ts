import { describe, it } from 'vitest'
import { removeDead } from '../../lib/graph/rewrite.js'
import { foldConstants } from '../../lib/passes/fold-constants.js'
import { foldScale } from '../../lib/passes/fold-scale.js'
import type { Pass } from '../../lib/passes/pass.js'
import { expectRewrite, expectUntouched } from './golden.js'

/** The nodes that foldScale writes are evaluated, as in preparation. */
const folded: Pass = async (graph, context) => removeDead(await foldConstants(foldScale(graph), context))

describe('foldScale', () => {
  it('writes the new weights as nodes on constants', () =>
    expectRewrite(
      foldScale,
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 5
        k: float32[2, 1, 1] = 2 10
        c = Conv(x, w)
        y = Mul(c, k)
      `,
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 5
        k: float32[2, 1, 1] = 2 10
        Mul_y:vector:shape: int64[1] = 2
        Mul_y:column:shape: int64[4] = -1 1 1 1
        Mul_y:vector = Reshape(k, Mul_y:vector:shape)
        Mul_y:column = Reshape(Mul_y:vector, Mul_y:column:shape)
        Mul_y:weight = Mul(w, Mul_y:column)
        y = Conv(x, Mul_y:weight)
      `,
    ))

  it('takes a scale and a shift after a Conv into its weights and bias', () =>
    expectRewrite(
      folded,
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 5
        b: float32[2] = 1 1
        k: float32[2, 1, 1] = 2 10
        o: float32[] = 7
        c = Conv(x, w, b)
        m = Mul(k, c)
        y = Add(m, o)
      `,
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        Mul_m:weight: float32[2, 1, 1, 1] = 6 50
        Add_y:bias: float32[2] = 9 17
        y = Conv(x, Mul_m:weight, Add_y:bias)
      `,
    ))

  it('takes BatchNormalization in: k = gamma / sqrt(variance + epsilon)', () =>
    expectRewrite(
      folded,
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 5
        gamma: float32[2] = 2 4
        beta: float32[2] = 1 1
        mean: float32[2] = 3 2
        variance: float32[2] = 3 15
        c = Conv(x, w)
        y = BatchNormalization(c, gamma, beta, mean, variance) {epsilon=1.0}
      `,
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        BatchNormalization_y:weight: float32[2, 1, 1, 1] = 3 5
        BatchNormalization_y:bias: float32[2] = -2 -1
        y = Conv(x, BatchNormalization_y:weight, BatchNormalization_y:bias)
      `,
    ))

  it('scales the columns of a Gemm', () =>
    expectRewrite(
      folded,
      `
      graph g (x: float32[1, 2]) -> (y: ?)
        w: float32[2, 2] = 1 2 3 4
        k: float32[2] = 2 10
        c = Gemm(x, w)
        y = Mul(c, k)
      `,
      `
      graph g (x: float32[1, 2]) -> (y: ?)
        Mul_y:weight: float32[2, 2] = 2 20 6 40
        y = Gemm(x, Mul_y:weight)
      `,
    ))

  const conv = (rest: string, outputs = 'y: ?') => `
    graph g (x: float32[1, 1, 2, 2], k: float32[2, 1, 1]) -> (${outputs})
      w: float32[2, 1, 1, 1] = 3 5
      row: float32[1, 2] = 1 2
      two: float32[] = 2
      c = Conv(x, w)
      ${rest}
  `

  it.each([
    ['a scale along another axis', conv('y = Mul(c, row)')],
    ['a scale that is fed', conv('y = Mul(c, k)')],
    ['a Conv that others read', conv('r = Relu(c)\n      m = Mul(c, two)\n      y = Add(r, m)')],
    ['a Conv that is an output', conv('y = Mul(c, two)', 'y: ?, c: ?')],
    ['its own square', conv('y = Mul(c, c)')],
  ])('leaves %s', (_, text) => expectUntouched(foldScale, text))

  it('leaves a Gemm that scales its product', () =>
    expectUntouched(
      foldScale,
      `
      graph g (x: float32[1, 2]) -> (y: ?)
        w: float32[2, 2] = 1 2 3 4
        k: float32[2] = 2 10
        c = Gemm(x, w) {alpha=0.5}
        y = Mul(c, k)
      `,
    ))
})
