import { describe, expect, it } from 'vitest'
import { toInteger } from '../../../lib/compile/steps/integer.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const head = trimmed(`
  input q: uint8[2, 2]
  constant s: float32[] = 0.5
  constant z: uint8[] = 3
  x: float32[2, 2] = DequantizeLinear(x: q(s, z)) convert
  constant t: float32[] = 0.25`)

/** The line of the step that makes y, or the quantized y. */
function made(body: string): string {
  const lines = rewritten(toInteger, `${head}${body}`).split('\n')
  return lines.find((line) => line.startsWith('output ')) ?? ''
}

const QUANTIZED = `output y: uint8[2, 2] = QuantizeLinear(x: m, y: (t, z)) { qmin: 3 } convert #q
  return y`

describe('between quantizers', () => {
  it.each([
    [
      'Unary(x: x) { fns: [tanh] } float #f',
      'QUnary(x: q(s, z), y: (t, z)) { fns: [tanh], params: [], qmin: 3 }',
    ],
    [
      'Binary(a: x, b: x) { fn: mul } float #f',
      'QBinary(a: q(s, z), b: q(s, z), y: (t, z)) { fn: mul, qmin: 3 }',
    ],
    [
      'Binary(a: x, b: t) { fn: max } float #f',
      'QUnary(x: q(s, z), y: (t, z)) { fns: [clip], params: [0.25, Infinity], qmin: 3 }',
    ],
    [
      'Reduce(x: x) { fn: max, axes: [1] } float #f',
      'QReduceExtreme(x: q(s, z), y: (t, z)) { axes: [1], fn: max, qmin: 3 }',
    ],
    ['Softmax(x: x) { axis: 1 } float #f', 'QSoftmax(x: q(s, z), y: (t, z)) { axis: 1, qmin: 3 }'],
  ])('%s', (step, integer) => {
    expect(made(`m: float32[2, 2] = ${step}\n${QUANTIZED}`)).toBe(
      `output y: uint8[2, 2] = ${integer} integer #f #q`,
    )
  })

  it('Concat joins inputs with scales of their own', () => {
    const body = `m: float32[4, 2] = Concat(x: [x, x]) { axis: 0 } data #f
      output y: uint8[4, 2] = QuantizeLinear(x: m, y: (t, z)) convert
      return y`
    expect(made(body)).toBe(
      'output y: uint8[4, 2] = QConcat(y: (t, z), x: [q(s, z), q(s, z)]) { axis: 0 } integer #f',
    )
  })

  it('a product takes weights per column and a bias in units of its sums', () => {
    const body = `
      constant w: int8[2, 2] = 1, 2, 3, 4
      constant ws: float32[2] = 0.5, 0.25
      v: float32[2, 2] = DequantizeLinear(x: w(ws)) { axis: 1 } convert
      constant b: float32[2] = 1, 1
      m: float32[2, 2] = MatMul(a: x, b: v, bias: b) float #f
      ${QUANTIZED}`
    const after = rewritten(toInteger, `${head}${body}`)
    expect(after).toContain('constant bias: int32[2] = 4, 8\n')
    expect(after).toContain(
      'QMatMul(a: q(s, z), b: w(ws), y: (t, z), bias: bias) { qmin: 3, trans_a: 0, trans_b: 0 } integer #f #q',
    )
  })
})

describe('why a step stays float', () => {
  it.each([
    [
      'm: float32[2, 2] = Unary(x: x) { fns: [tanh] } float\noutput y: float32[2, 2] = Copy(x: m) data',
      'its output is not quantized',
    ],
    ['m: float32[2, 2] = Unary(x: r) { fns: [tanh] } float', 'its inputs are not quantized'],
    ['m: float32[2, 2] = Binary(a: x, b: r) { fn: add } float', 'input 1 is not quantized'],
    ['m: float32[2, 2] = Binary(a: x, b: x) { fn: pow } float', "'pow' has no integer form"],
    ['m: float32[2, 2] = Softmax(x: x) { log: 1 } float', 'LogSoftmax has no integer form'],
    ['m: float32[2, 2] = MatMul(a: x, b: r) float', 'its second input is not quantized'],
  ])('%s', (step, reason) => {
    const rest = step.includes('output y') ? 'return y' : QUANTIZED
    const after = rewritten(toInteger, `${head}input r: float32[2, 2]\n${step}\n${rest}`)
    expect(after).toContain(`(${reason})\n`)
  })
})

it('a product of quantized operands gives float where its output is not quantized', () => {
  const body = `
    constant w: int8[2, 2] = 1, 2, 3, 4
    v: float32[2, 2] = DequantizeLinear(x: w(s)) convert
    output y: float32[2, 2] = MatMul(a: x, b: v) float #f
    return y`
  expect(made(body)).toBe(
    'output y: float32[2, 2] = QMatMul(a: q(s, z), b: w(s)) { trans_a: 0, trans_b: 0 } integer #f',
  )
})

describe('of 16-bit activations', () => {
  const wide = trimmed(`
    input q: int16[2, 2]
    constant s: float32[] = 0.5
    constant z: int16[] = -300
    x: float32[2, 2] = DequantizeLinear(x: q(s, z)) convert
    constant w: int8[2, 2] = 1, 2, 3, 4
    b: float32[2, 2] = DequantizeLinear(x: w(s)) convert
    constant t: float32[] = 0.25`)
  const of = (step: string) => {
    const body = `m: float32[2, 2] = ${step} float
      output y: int16[2, 2] = QuantizeLinear(x: m, y: (t, z)) { qmin: -300 } convert
      return y`
    return rewritten(toInteger, `${wide}\n${body}`)
  }

  it('a product has an integer form', () => {
    expect(of('MatMul(a: x, b: b)')).toContain(
      'output y: int16[2, 2] = QMatMul(a: q(s, z), b: w(s), y: (t, z)) { qmin: -300, trans_a: 0, trans_b: 0 }',
    )
  })

  it('other steps have none, nor has a product of two', () => {
    expect(of('Binary(a: x, b: x) { fn: add }')).toContain(
      'of 16-bit activations only products have an integer form',
    )
    expect(of('MatMul(a: x, b: x)')).toContain('its second input has 16 bits')
  })

  it('a bias that int32 cannot hold in units of the scales keeps it real', () => {
    const biased = (real: string) =>
      rewritten(
        toInteger,
        `${wide}
        constant c: float32[2] = 1.0, ${real}
        m: float32[2, 2] = MatMul(a: x, b: b, bias: c) float
        output y: int16[2, 2] = QuantizeLinear(x: m, y: (t, z)) convert
        return y`,
      )
    expect(biased('5e8')).toContain('QMatMul(')
    expect(biased('6e8')).toContain('its bias does not fit in int32 units of its scales')
  })
})

describe('weights of 4 bits', () => {
  const head4 = trimmed(`
    input q: uint8[2, 3]
    constant s: float32[] = 0.5
    constant z: uint8[] = 3
    x: float32[2, 3] = DequantizeLinear(x: q(s, z)) convert
    constant w: int4[2, 3] = 1, -2, 3, 4, -5, 6
    constant c: float32[2] = 0.5, 0.25
    b: float32[2, 3] = DequantizeLinear(x: w(c)) { axis: 0 } convert
    t: float32[3, 2] = Transpose(x: b) { perm: [1, 0] } data`)

  it('that are transposed are read so', () => {
    const body = `output y: float32[2, 2] = MatMul(a: x, b: t) float
      return y`
    expect(rewritten(toInteger, `${head4}\n${body}`)).toContain(
      'QMatMul(a: q(s, z), b: w(c)) { trans_a: 0, trans_b: 1 } integer',
    )
  })
})

it('a convolution along 3 axes stays real', () => {
  const text = `
    input q: uint8[1, 4, 4, 4, 2]
    constant s: float32[] = 0.5
    x: float32[1, 4, 4, 4, 2] = DequantizeLinear(x: q(s)) convert
    constant w: int8[1, 2, 1, 1, 1] = 1, 2
    b: float32[1, 2, 1, 1, 1] = DequantizeLinear(x: w(s)) convert
    output y: float32[1, 4, 4, 4, 1] = Conv(x: x, w: b) { strides: [1, 1, 1], pads: [0, 0, 0, 0, 0, 0], dilations: [1, 1, 1] } float
    return y`
  expect(rewritten(toInteger, text)).toContain('a convolution along 3 axes has no integer form')
})
