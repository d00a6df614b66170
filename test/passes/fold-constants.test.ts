import { describe, expect, it } from 'vitest'
import { evaluateConstants } from '../../lib/compile/run/evaluate.js'
import { foldConstants } from '../../lib/passes/fold-constants.js'
import { parseGraph } from '../helpers/graph-text.js'
import { expectRewrite, expectUntouched } from './golden.js'

describe('foldConstants', () => {
  const transposed = `
    graph g (x: float32[1, 2]) -> (y: ?)
      w: float32[2, 2] = 1 2 3 4
      t = Transpose(w) {perm=[1, 0]}
      n = Neg(t)
      y = MatMul(x, n)
  `

  it('computes what depends on constants alone', () =>
    expectRewrite(
      foldConstants,
      transposed,
      `
      graph g (x: float32[1, 2]) -> (y: ?)
        w: float32[2, 2] = 1 2 3 4
        n: float32[2, 2] = -1 -3 -2 -4
        y = MatMul(x, n)
      `,
    ))

  it('leaves weights that will change', () =>
    expectUntouched(foldConstants, transposed, { selection: 'training' }))

  it('makes constants of sizes that inference knows', () =>
    expectRewrite(
      foldConstants,
      `
      graph g (x: float32[2, 3, 4]) -> (y: ?)
        i: int64[] = 0
        rest: int64[1] = -1
        axes: int64[1] = 0
        s = Shape(x)
        b = Gather(s, i)
        u = Unsqueeze(b, axes)
        c = Concat(u, rest) {axis=0}
        y = Reshape(x, c)
      `,
      `
      graph g (x: float32[2, 3, 4]) -> (y: ?)
        i: int64[] = 0
        rest: int64[1] = -1
        axes: int64[1] = 0
        s: int64[3] = 2 3 4
        b: int64[] = 2
        u: int64[1] = 2
        c: int64[2] = 2 -1
        y = Reshape(x, c)
      `,
    ))

  it('computes the limit first that a Range needs for its size', () =>
    expectRewrite(
      foldConstants,
      `
      graph g (x: float32[3]) -> (y: ?)
        zero: float32[] = 0
        one: float32[] = 1
        limit: float32[] = 2.5
        c = Ceil(limit)
        r = Range(zero, c, one)
        y = Add(x, r)
      `,
      `
      graph g (x: float32[3]) -> (y: ?)
        zero: float32[] = 0
        one: float32[] = 1
        limit: float32[] = 2.5
        c: float32[] = 3
        r: float32[3] = 0 1 2
        y = Add(x, r)
      `,
    ))

  it('leaves quantized weights as they are stated', () =>
    expectUntouched(
      foldConstants,
      `
      graph g (x: float32[1, 2]) -> (y: ?)
        q: int8[2, 2] = 1 2 3 4
        s: float32[] = 0.5
        w = DequantizeLinear(q, s)
        y = MatMul(x, w)
      `,
    ))

  it('leaves a tensor that would make the file much larger', () =>
    expectUntouched(
      foldConstants,
      `
      graph g (x: float32[1]) -> (y: ?)
        one: float32[1] = 1
        shape: int64[2] = 1024 1024
        big = Expand(one, shape)
        y = Mul(x, big)
      `,
    ))

  it('leaves what depends on an input, and asks for nothing to be computed', async () => {
    const graph = parseGraph(`
      graph g (x: float32[n]) -> (y: ?)
        y = Neg(x)
    `)
    const evaluate = () => Promise.reject(new Error('nothing to compute'))
    expect(await foldConstants(graph, { evaluate })).toBe(graph)
    expect(await evaluateConstants(parseGraph('graph c () -> (k: ?)\n  k: float32[1] = 2'))).toEqual(
      new Map([['k', expect.objectContaining({ dtype: 'float32', dims: [1] })]]),
    )
  })
})
