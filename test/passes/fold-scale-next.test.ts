import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { removeDead } from '../../lib/graph/rewrite.js'
import { foldConstants } from '../../lib/passes/fold-constants.js'
import { foldScaleNext } from '../../lib/passes/fold-scale-next.js'
import type { Pass } from '../../lib/passes/pass.js'
import { expectRewrite, expectUntouched } from './golden.js'
import { expectSameAnswers, noise } from './same-answers.js'

/** The nodes that the pass writes are evaluated, as in preparation. */
const folded: Pass = async (graph, context) =>
  removeDead(await foldConstants(await foldScaleNext(graph, context), context))

const graphOf = (nodes: string, more = '') => `
  graph g (x: float32[1, 2, 3, 3]) -> (y: ?)
    w: float32[1, 2, 1, 1] = 3 5
    k: float32[2, 1, 1] = 2 4
    c: float32[1, 2, 1, 1] = 10 100
    ${more}
    a = Sigmoid(x)
    ${nodes}
`

describe('foldScaleNext', () => {
  it('takes a scale and a shift into the weights and the bias of a Conv', () =>
    expectRewrite(
      folded,
      graphOf('m = Mul(a, k)\n    n = Add(m, c)\n    y = Conv(n, w)'),
      `
      graph g (x: float32[1, 2, 3, 3]) -> (y: ?)
        Conv_y:Mul_m:weight: float32[1, 2, 1, 1] = 6 20
        Conv_y:Add_n:sum: float32[1] = 530
        a = Sigmoid(x)
        y = Conv(a, Conv_y:Mul_m:weight, Conv_y:Add_n:sum)
      `,
    ))

  it('takes BatchNormalization through a Reshape into a Gemm', () =>
    expectRewrite(
      folded,
      `
      graph g (x: float32[n, 2, 2]) -> (y: ?)
        w: float32[4, 1] = 1 2 3 4
        b: float32[1] = 5
        gamma: float32[2] = 2 4
        beta: float32[2] = 1 1
        mean: float32[2] = 3 2
        variance: float32[2] = 3 3
        flat: int64[2] = 0 -1
        a = Sigmoid(x)
        s = BatchNormalization(a, gamma, beta, mean, variance) {epsilon=1.0}
        r = Reshape(s, flat)
        y = Gemm(r, w, b)
      `,
      `
      graph g (x: float32[n, 2, 2]) -> (y: ?)
        flat: int64[2] = 0 -1
        Gemm_y:BatchNormalization_s:weight: float32[4, 1] = 1 2 6 8
        Gemm_y:BatchNormalization_s:bias: float32[1] = -22
        a = Sigmoid(x)
        r = Reshape(a, flat)
        y = Gemm(r, Gemm_y:BatchNormalization_s:weight, Gemm_y:BatchNormalization_s:bias)
      `,
    ))

  it('takes a shift into the Add after a MatMul', () =>
    expectRewrite(
      folded,
      `
      graph g (x: float32[2, 3, 2]) -> (y: ?)
        w: float32[2, 1] = 1 2
        b: float32[1] = 5
        c: float32[2] = 10 100
        a = Sigmoid(x)
        s = Sub(a, c)
        m = MatMul(s, w)
        y = Add(b, m)
      `,
      `
      graph g (x: float32[2, 3, 2]) -> (y: ?)
        w: float32[2, 1] = 1 2
        MatMul_m:Sub_s:bias: float32[1] = -205
        a = Sigmoid(x)
        m = MatMul(a, w)
        y = Add(MatMul_m:Sub_s:bias, m)
      `,
    ))

  it('takes a scale into all the products that read it', () =>
    expectRewrite(
      folded,
      graphOf(
        'm = Mul(a, k)\n    p = Conv(m, w)\n    q = Conv(m, v)\n    y = Add(p, q)',
        'v: float32[1, 2, 1, 1] = 1 1',
      ),
      `
      graph g (x: float32[1, 2, 3, 3]) -> (y: ?)
        Conv_p:Mul_m:weight: float32[1, 2, 1, 1] = 6 20
        Conv_q:Mul_m:weight: float32[1, 2, 1, 1] = 2 4
        a = Sigmoid(x)
        p = Conv(a, Conv_p:Mul_m:weight)
        q = Conv(a, Conv_q:Mul_m:weight)
        y = Add(p, q)
      `,
    ))

  it.each([
    ['a shift of what is fed', graphOf('s = Sub(x, c)\n    y = Conv(s, w)')],
    [
      'the bias of a MatMul',
      graphOf(
        's = MatMul(a, v)\n    b = Add(s, c)\n    y = Conv(b, w)',
        'v: float32[3, 3] = 1 2 3 4 5 6 7 8 9',
      ),
    ],
    ['a shift before pads', graphOf('s = Sub(a, c)\n    y = Conv(s, w) {pads=[1, 1, 1, 1]}')],
    [
      'a shift before ConvTranspose',
      graphOf('s = Sub(a, c)\n    y = ConvTranspose(s, v)', 'v: float32[2, 1, 1, 1] = 1 2'),
    ],
    ['factors that differ by more than 4 times', graphOf('s = Mul(a, c)\n    y = Conv(s, w)')],
    ['a factor of 0', graphOf('s = Mul(a, z)\n    y = Conv(s, w)', 'z: float32[] = 0')],
    ['a factor that overflows', graphOf('s = Mul(a, z)\n    y = Conv(s, w)', 'z: float32[] = 1e30')],
    ['a scale along another axis', graphOf('s = Mul(a, z)\n    y = Conv(s, w)', 'z: float32[3] = 1 2 3')],
    ['a value with another reader', graphOf('s = Mul(a, k)\n    q = Conv(s, w)\n    y = Add(q, s)')],
    ['weights that are fed', graphOf('s = Mul(a, k)\n    y = Conv(a, s)')],
  ])('leaves %s', (_, text) => expectUntouched(foldScaleNext, text))

  it('gives the answers of the graph before, whatever the product and what is between', async () => {
    const values = (count: number, seed: number) =>
      noise(count, seed)
        .map((v) => v + Math.sign(v))
        .join(' ')
    const positive = (count: number, seed: number) =>
      noise(count, seed)
        .map((v) => 1 + Math.abs(v))
        .join(' ')
    const product = fc.constantFrom<{ text: string; w: number[]; b: number }[]>(
      { text: 'y = Conv(p, w, b)', w: [4, 4, 3, 3], b: 4 },
      { text: 'y = Conv(p, w, b) {strides=[2, 2]}', w: [2, 4, 2, 2], b: 2 },
      { text: 'y = Conv(p, w, b) {group=2}', w: [6, 2, 3, 3], b: 6 },
      { text: 'y = Conv(p, w) {group=4}', w: [4, 1, 3, 3], b: 1 },
      { text: 'f = Flatten(p)\n    y = Gemm(f, w, b)', w: [144, 5], b: 5 },
      { text: 'f = Flatten(p)\n    y = Gemm(f, w) {transB=1}', w: [5, 144], b: 5 },
      {
        text: 't = Transpose(p) {perm=[0, 2, 3, 1]}\n    q = MatMul(t, w)\n    y = Add(q, b)',
        w: [4, 5],
        b: 5,
      },
    )
    const between = fc.constantFrom(
      'p = Reshape(n, same)',
      'p = Resize(n, _, _, size) {mode="linear"}',
      'p = MaxPool(n) {kernel_shape=[3, 3], pads=[1, 1, 1, 1]}',
    )
    const affine = fc.constantFrom(
      'm = Mul(a, k)\n    n = Add(c, m)',
      'm = Div(a, k)\n    n = Sub(m, c)',
      'n = BatchNormalization(a, k, o, o, k)',
    )
    await fc.assert(
      fc.asyncProperty(
        product,
        between,
        affine,
        fc.integer({ min: 1, max: 1000 }),
        async (of, way, scale, seed) => {
          const text = `
          graph g (x: float32[2, 4, 6, 6]) -> (y: ?)
            same: int64[4] = 0 0 0 0
            size: int64[4] = 2 4 6 6
            k: float32[${scale.includes('Batch') ? '4' : '4, 1, 1'}] = ${positive(4, seed)}
            o: float32[4] = ${values(4, seed + 1)}
            c: float32[4, 1, 1] = ${values(4, seed + 2)}
            w: float32[${of.w.join(', ')}] = ${values(
              of.w.reduce((p, d) => p * d, 1),
              seed + 3,
            )}
            b: float32[${of.b}] = ${values(of.b, seed + 4)}
            a = Sigmoid(x)
            ${scale.replaceAll('\n    ', '\n            ')}
            ${way}
            ${of.text.replaceAll('\n    ', '\n            ')}
        `
          const after = await expectSameAnswers(folded, text)
          expect(
            after.nodes.some(({ opType }) => /Mul$|Div|Sub|Batch/.test(opType) && opType !== 'MatMul'),
          ).toBe(false)
        },
      ),
      { numRuns: 40, seed: 9 },
    )
  })
})
