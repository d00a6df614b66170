/** Signs in graphs: levels and thresholds where products of them are, and the answers of the float graph. */
import { describe, expect, it } from 'vitest'
import { recogniseSigns } from '../../lib/passes/recognise-signs.js'
import { expectRewrite, expectUntouched } from './golden.js'
import { expectSameAnswers, noise } from './same-answers.js'

const plus = (count: number, seed: number, scale = 1) =>
  noise(count, seed)
    .map((v) => (v < 0 ? -scale : scale))
    .join(' ')

/** Between two products: what makes signs of the sums of the first. Channels are the second axis of five. */
const CHAINS = {
  'Sub of thresholds, ties among them': ['d = Sub(c, t)', 's = Sign(d)'],
  'Add and Sign': ['d = Add(t, c)', 's = Sign(d)'],
  'BatchNormalization, then Less and Where': [
    'd = BatchNormalization(c, gamma, beta, mean, variance)',
    'l = Less(d, zero)',
    's = Where(l, minus, one)',
  ],
  'a comparison as 0 and 1, times 2, less 1': [
    'd = GreaterOrEqual(c, t)',
    'f = Cast(d) {to=1}',
    'm = Mul(f, two)',
    's = Sub(m, one)',
  ],
  'the sign of a sign and a little': ['d = Sub(c, t)', 'e = Sign(d)', 'f = Add(e, little)', 's = Sign(f)'],
  'Neg, Clip and other levels': [
    'd = Neg(c)',
    'e = Clip(d, minus, one)',
    'l = Greater(e, zero)',
    's = Where(l, half, minushalf)',
  ],
  'levels 0 and 1': ['d = Greater(c, t)', 's = Cast(d) {to=1}'],
}

const CONSTANTS = [
  't: float32[1, 5, 1, 1] = 0 -2.5 4 100 -300',
  'gamma: float32[5] = 1.5 -0.7 0.001 2 -3',
  'beta: float32[5] = 0.1 -0.3 0 1 -2',
  'mean: float32[5] = 0.5 3 -2 8 1',
  'variance: float32[5] = 2 9 1 100 4',
  'zero: float32[] = 0',
  'one: float32[] = 1',
  'two: float32[] = 2',
  'minus: float32[] = -1',
  'half: float32[] = 0.5',
  'minushalf: float32[] = -0.5',
  'little: float32[] = 0.1',
]

describe('recogniseSigns', () => {
  it('quantizes signs and the weights that multiply them', () =>
    expectRewrite(
      recogniseSigns,
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        w: float32[3, 2] = 2 -3 -2 -3 2 3
        s = Sign(x)
        y = MatMul(s, w)
      `,
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        w:signs: int8[3, 2] = 1 -1 -1 -1 1 1
        w:scale: float32[2] = 2 3
        s:scale: float32[] = 1
        Sign_s:end: float32[] = -1
        Sign_s:end_1: float32[] = 1
        Sign_s:zero: int8[] = 0
        Sign_s:magnitude: float32[] = 1
        Sign_s:zero_1: int8[] = 0
        s = Sign(x)
        Sign_s:clipped = Clip(s, Sign_s:end, Sign_s:end_1)
        Sign_s:levels = QuantizeLinear(Sign_s:clipped, s:scale, Sign_s:zero)
        s:signs = DequantizeLinear(Sign_s:levels, Sign_s:magnitude, Sign_s:zero_1)
        w:dequantized = DequantizeLinear(w:signs, w:scale) {axis=1}
        y = MatMul(s:signs, w:dequantized)
      `,
    ))

  it('makes levels of sums by thresholds: with a tie, between two integers, of a falling sum', () =>
    expectRewrite(
      recogniseSigns,
      `
      graph g (x: float32[1, 2, 4, 4]) -> (y: ?)
        v: float32[3, 2, 1, 1] = 1 -1 -1 -1 1 1
        f: float32[1, 3, 1, 1] = 1 1 -1
        t: float32[1, 3, 1, 1] = 0 -1.5 1
        w: float32[2, 3, 1, 1] = 1 -1 -1 -1 1 1
        r = Sign(x)
        c = Conv(r, v)
        m = Mul(c, f)
        d = Sub(m, t)
        s = Sign(d)
        p = MaxPool(s) {kernel_shape=[2, 2]}
        y = Conv(p, w)
      `,
      `
      graph g (x: float32[1, 2, 4, 4]) -> (y: ?)
        v:signs: int8[3, 2, 1, 1] = 1 -1 -1 -1 -1 -1
        v:scale: float32[3] = 1 2 1
        Conv_c:bias: float32[3] = -1 2 -2
        Conv_c:unit: float32[] = 1
        Conv_c:end: float32[] = -2
        Conv_c:end_1: float32[] = 0
        Conv_c:zero: int8[] = 1
        Conv_c:magnitude: float32[] = 1
        Conv_c:zero_1: int8[] = 0
        w:signs: int8[2, 3, 1, 1] = 1 -1 -1 -1 1 1
        w:scale: float32[2] = 1 1
        r:scale: float32[] = 1
        Sign_r:end: float32[] = -1
        Sign_r:end_1: float32[] = 1
        Sign_r:zero: int8[] = 0
        Sign_r:magnitude: float32[] = 1
        Sign_r:zero_1: int8[] = 0
        r = Sign(x)
        Sign_r:clipped = Clip(r, Sign_r:end, Sign_r:end_1)
        Sign_r:levels = QuantizeLinear(Sign_r:clipped, r:scale, Sign_r:zero)
        r:signs = DequantizeLinear(Sign_r:levels, Sign_r:magnitude, Sign_r:zero_1)
        v:dequantized = DequantizeLinear(v:signs, v:scale) {axis=0}
        Conv_c:sums = Conv(r:signs, v:dequantized, Conv_c:bias)
        Conv_c:clipped = Clip(Conv_c:sums, Conv_c:end, Conv_c:end_1)
        Conv_c:levels = QuantizeLinear(Conv_c:clipped, Conv_c:unit, Conv_c:zero)
        s = DequantizeLinear(Conv_c:levels, Conv_c:magnitude, Conv_c:zero_1)
        p = MaxPool(s) {kernel_shape=[2, 2]}
        w:dequantized = DequantizeLinear(w:signs, w:scale) {axis=0}
        y = Conv(p, w:dequantized)
      `,
    ))

  it.each(Object.entries(CHAINS))('%s', async (_, chain) => {
    const after = await expectSameAnswers(
      recogniseSigns,
      `
      graph g (x: float32[2, 33, 6, 7]) -> (y: float32[2, 6, 4, 5])
        v: float32[5, 33, 3, 3] = ${plus(5 * 33 * 9, 3)}
        w: float32[6, 5, 3, 3] = ${plus(6 * 5 * 9, 4, 0.5)}
        ${CONSTANTS.join('\n        ')}
        r = Sign(x)
        c = Conv(r, v) {pads=[1, 1, 1, 1]}
        ${chain.join('\n        ')}
        y = Conv(s, w)
      `,
      { within: 0 },
    )
    expect(after.nodes.filter(({ opType }) => opType === 'Conv').length).toBe(2)
    expect(after.nodes.some(({ opType }) => opType === 'BatchNormalization' || opType === 'Where')).toBe(
      false,
    )
    expect(after.nodes.filter(({ opType }) => opType === 'QuantizeLinear').length).toBe(2)
  })

  it('takes Gemm and MatMul, and what moves signs', async () => {
    const after = await expectSameAnswers(
      recogniseSigns,
      `
      graph g (x: float32[2, 8, 5]) -> (y: float32[2, 9])
        v: float32[40, 70] = ${plus(40 * 70, 5)}
        b: float32[70] = ${noise(70, 6)
          .map((n) => (8 * n).toFixed(3))
          .join(' ')}
        w: float32[9, 70] = ${plus(9 * 70, 7, 3)}
        u: float32[70, 70] = ${plus(70 * 70, 8)}
        sizes: int64[2] = 2 40
        r = Sign(x)
        f = Reshape(r, sizes)
        c = Gemm(f, v, b)
        s = Sign(c)
        d = MatMul(s, u)
        e = Sign(d)
        y = Gemm(e, w) {transB=1}
      `,
      { within: 0 },
    )
    expect(after.nodes.filter(({ opType }) => opType === 'QuantizeLinear').length).toBe(3)
  })

  const product = (weights: string, ...lines: string[]) => `
    graph g (x: float32[2, 3]) -> (y: ?)
      w: float32[3, 2] = ${weights}
      two: float32[] = 2
      ${lines.join('\n      ')}
    `

  it('leaves weights of three levels', () =>
    expectUntouched(recogniseSigns, product('2 -3 -2 -3 2 1', 's = Sign(x)', 'y = MatMul(s, w)')))

  it('leaves weights that are 0', () =>
    expectUntouched(recogniseSigns, product('0 0 0 0 0 0', 's = Sign(x)', 'y = MatMul(s, w)')))

  it('leaves three levels that are not around 0', () =>
    expectUntouched(
      recogniseSigns,
      product('1 1 1 1 1 1', 's = Sign(x)', 't = Add(s, two)', 'y = MatMul(t, w)'),
    ))

  it('leaves products of other numbers', () =>
    expectUntouched(recogniseSigns, product('1 1 1 1 1 1', 's = MatMul(x, w)', 'y = Sign(s)')))
})
