import { describe, expect, it } from 'vitest'
import { raiseScale } from '../../lib/passes/raise-scale.js'
import { expectRewrite, expectUntouched } from './golden.js'
import { expectSameAnswers } from './same-answers.js'

const conv = (rest: string, outputs = 'y: ?') => `
  graph g (x: float32[1, 1, 4, 4]) -> (${outputs})
    w: float32[2, 1, 1, 1] = 3 -5
    k: float32[2, 1, 1] = 2 10
    n: float32[2, 1, 1] = 2 -10
    o: float32[1, 2, 1, 1] = 7 8
    row: float32[1, 4] = 1 2 3 4
    zero: float32[2] = 0 0
    variance: float32[2] = 3 15
    axes: int64[1] = 2
    flat: int64[3] = 1 2 16
    pads: int64[8] = 0 0 1 1 0 0 1 1
    c = Conv(x, w)
    ${rest}
`

describe('raiseScale', () => {
  it('moves a scale of positive factors before Relu', () =>
    expectRewrite(
      raiseScale,
      conv('r = Relu(c)\n    y = Mul(r, k)'),
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 -5
        Mul_y:factor: float32[1, 2, 1, 1] = 2 10
        c = Conv(x, w)
        Mul_y:raised = Mul(c, Mul_y:factor)
        y = Relu(Mul_y:raised)
      `,
    ))

  it('splits BatchNormalization: its shift stays after Relu', () =>
    expectRewrite(
      raiseScale,
      conv('r = Relu(c)\n    y = BatchNormalization(r, zero, zero, zero, variance) {epsilon=1.0}').replace(
        'zero: float32[2] = 0 0',
        'zero: float32[2] = 4 8',
      ),
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 -5
        BatchNormalization_y:factor: float32[1, 2, 1, 1] = 2 2
        BatchNormalization_y:offset: float32[1, 2, 1, 1] = -4 -8
        c = Conv(x, w)
        BatchNormalization_y:raised = Mul(c, BatchNormalization_y:factor)
        r = Relu(BatchNormalization_y:raised)
        y = Add(r, BatchNormalization_y:offset)
      `,
    ))

  it('moves a bias before the Squeeze that converters write after a Conv of one axis', () =>
    expectRewrite(
      raiseScale,
      `
      graph g (x: float32[n, 1, 1, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 -5
        b: float32[1, 2, 1] = 2 10
        axes: int64[1] = 2
        c = Conv(x, w)
        s = Squeeze(c, axes)
        t = Transpose(s) {perm=[0, 2, 1]}
        u = Transpose(t) {perm=[0, 2, 1]}
        y = Add(b, u)
      `,
      `
      graph g (x: float32[n, 1, 1, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 -5
        axes: int64[1] = 2
        Add_y:offset: float32[1, 2, 1, 1] = 2 10
        c = Conv(x, w)
        Add_y:raised = Add(c, Add_y:offset)
        s = Squeeze(Add_y:raised, axes)
        t = Transpose(s) {perm=[0, 2, 1]}
        y = Transpose(t) {perm=[0, 2, 1]}
      `,
    ))

  it('writes Div and Sub after a product as what foldScale knows', () =>
    expectRewrite(
      raiseScale,
      conv('d = Div(c, k)\n    y = Sub(d, o)'),
      `
      graph g (x: float32[1, 1, 4, 4]) -> (y: ?)
        w: float32[2, 1, 1, 1] = 3 -5
        Div_d:factor: float32[1, 2, 1, 1] = 0.5 0.1
        Sub_y:offset: float32[1, 2, 1, 1] = -7 -8
        c = Conv(x, w)
        d = Mul(c, Div_d:factor)
        y = Add(d, Sub_y:offset)
      `,
    ))

  it.each([
    [
      'a scale and a shift past a pool',
      'm = MaxPool(c) {kernel_shape=[2, 2]}\n    s = Mul(m, k)\n    y = Add(s, o)',
    ],
    [
      'BatchNormalization past a pool',
      'm = MaxPool(c) {kernel_shape=[2, 2]}\n    y = BatchNormalization(m, variance, variance, variance, variance)',
    ],
    ['a scale past Pad', 'p = Pad(c, pads)\n    y = Mul(p, n)'],
    ['a scale past a flattened picture', 'p = Reshape(c, flat)\n    q = LeakyRelu(p)\n    y = Div(q, col)'],
    ['a shift past a mean', 'p = GlobalAveragePool(c)\n    y = Sub(p, o)'],
  ])('keeps the answers of %s', async (_, rest) => {
    const text = conv(rest).replace('axes: int64[1] = 2', 'axes: int64[1] = 2\n    col: float32[2, 1] = 3 7')
    const after = await expectSameAnswers(raiseScale, text)
    expect(after.nodes[1]?.opType).toMatch(/Mul|Add/)
  })

  it.each([
    ['factors below 0 after Relu', conv('r = Relu(c)\n    y = Mul(r, n)')],
    ['factors below 0 after MaxPool', conv('r = MaxPool(c) {kernel_shape=[2, 2]}\n    y = Mul(r, n)')],
    ['a shift after Relu', conv('r = Relu(c)\n    y = Add(r, o)')],
    ['a shift after Pad', conv('r = Pad(c, pads)\n    y = Add(r, o)')],
    ['a scale along another axis', conv('r = Relu(c)\n    y = Mul(r, row)')],
    ['a value that others read', conv('r = Relu(c)\n    y = Mul(r, k)\n    z = Add(r, y)', 'z: ?')],
    ['a value that is an output', conv('r = Relu(c)\n    y = Mul(r, k)', 'y: ?, r: ?')],
    ['a function that is not linear', conv('r = Sigmoid(c)\n    y = Mul(r, k)')],
  ])('leaves %s', (_, text) => expectUntouched(raiseScale, text))
})
