/** Norms that are spelt out between two products: what is divided by must not be rounded to 0. */
import type { ModelBuilder } from '../../helpers/builder.js'
import type { QuantizationCase } from './case.js'

type Norm = (m: ModelBuilder, h: string) => string

const [ROWS, FROM, WIDTH, TO] = [5, 16, 32, 8]

/** Tokens of very different size, a product, the norm over the last axis, a product. */
function tokens(
  name: string,
  bar: number,
  norm: Norm,
  more: Partial<QuantizationCase> = {},
): QuantizationCase {
  return {
    name,
    bar,
    model: (m) => {
      const h = m.linear(m.input('x', [1, ROWS, FROM]), FROM, WIDTH)
      m.output(m.op('Relu', [m.linear(norm(m, h), WIDTH, TO, true)]))
    },
    sample: (random) => {
      const sizes = Array.from({ length: ROWS }, () => 10 ** random.uniform(-0.6, 0.6))
      return { x: random.tensor([1, ROWS, FROM], (i) => random.normal(sizes[Math.floor(i / FROM)])) }
    },
    ...more,
  }
}

/** The input itself is normalised: no product before it. */
function residual(
  name: string,
  bar: number,
  norm: Norm,
  more: Partial<QuantizationCase> = {},
): QuantizationCase {
  return {
    ...tokens(name, bar, norm, more),
    model: (m) => m.output(m.op('Relu', [m.linear(norm(m, m.input('x', [1, ROWS, FROM])), FROM, TO, true)])),
  }
}

/** Images of very different size: a convolution, the norm over [1, 8, 6, 6], a convolution. */
function images(
  name: string,
  bar: number,
  norm: Norm,
  more: Partial<QuantizationCase> = {},
): QuantizationCase {
  return {
    name,
    bar,
    model: (m) => {
      const h = m.conv(m.input('x', [1, 3, 6, 6]), 3, 8, [1, 1])
      m.output(m.op('Relu', [m.conv(norm(m, h), 8, 4, [3, 3])]))
    },
    sample: (random) => {
      const size = 10 ** random.uniform(-0.5, 0.5)
      return { x: random.tensor([1, 3, 6, 6], () => random.normal(size)) }
    },
    ...more,
  }
}

const affine = (dims: readonly number[], spread: number) => (m: ModelBuilder, z: string) =>
  m.op('Add', [m.op('Mul', [z, m.normal(dims, spread, 1)]), m.normal(dims, 0.1)])

/** (h - mean) / sqrt(mean of squares + epsilon). */
function standardised(
  m: ModelBuilder,
  h: string,
  axes: readonly number[],
  square: Norm,
  epsilon = 1e-5,
): string {
  const d = m.op('Sub', [h, m.reduce('ReduceMean', h, axes)])
  const variance = m.reduce('ReduceMean', square(m, d), axes)
  return m.op('Div', [d, m.op('Sqrt', [m.op('Add', [variance, epsilon])])])
}

const pow: Norm = (m, d) => m.op('Pow', [d, 2])
const product: Norm = (m, d) => m.op('Mul', [d, d])

export const norms: readonly QuantizationCase[] = [
  residual(
    'LayerNorm without gamma, tokens of different size',
    30,
    (m, x) => {
      return m.op('Add', [
        m.op('Mul', [standardised(m, x, [-1], pow), m.constant([FROM], () => 1)]),
        m.normal([FROM], 0.1),
      ])
    },
    { opset: 13 },
  ),
  tokens('LayerNorm of squares by Mul, no affine part', 20, (m, h) => standardised(m, h, [-1], product)),
  tokens('LayerNorm with gamma first', 20, (m, h) => affine([WIDTH], 0.1)(m, standardised(m, h, [2], pow)), {
    opset: 18,
  }),
  tokens('LayerNorm by Reciprocal', 20, (m, h) => {
    const d = m.op('Sub', [h, m.reduce('ReduceMean', h, [-1])])
    const variance = m.reduce('ReduceMean', product(m, d), [-1])
    return m.op('Mul', [d, m.op('Reciprocal', [m.op('Sqrt', [m.op('Add', [variance, 1e-5])])])])
  }),
  tokens('LayerNorm of E[x²] - E[x]²', 20, (m, h) => {
    const mean = m.reduce('ReduceMean', h, [-1])
    const variance = m.op('Sub', [m.reduce('ReduceMean', product(m, h), [-1]), product(m, mean)])
    return m.op('Div', [m.op('Sub', [h, mean]), m.op('Sqrt', [m.op('Add', [variance, 1e-5])])])
  }),
  residual(
    'LayerNorm with one channel far larger',
    25,
    (m, x) => affine([FROM], 0.05)(m, standardised(m, x, [-1], pow)),
    {
      opset: 18,
      sample: (random) => ({
        x: random.tensor([1, ROWS, FROM], (i) => random.normal(i % FROM === 3 ? 25 : 0.5)),
      }),
    },
  ),
  tokens('RMSNorm by Pow, Sqrt, Div', 20, (m, h) => {
    const mean = m.reduce('ReduceMean', pow(m, h), [-1])
    return m.op('Mul', [
      m.op('Div', [h, m.op('Sqrt', [m.op('Add', [mean, 1e-6])])]),
      m.normal([WIDTH], 0.1, 1),
    ])
  }),
  tokens('RMSNorm by a power of -0.5, no gamma', 20, (m, h) => {
    const mean = m.reduce('ReduceMean', product(m, h), [-1])
    return m.op('Mul', [h, m.op('Pow', [m.op('Add', [mean, 1e-6]), -0.5])])
  }),
  tokens('L2 norm by ReduceSum, Sqrt, Div', 20, (m, h) => {
    const sum = m.reduce('ReduceSum', product(m, h), [-1])
    return m.op('Div', [h, m.op('Sqrt', [m.op('Add', [sum, 1e-12])])])
  }),
  tokens('L2 norm by ReduceL2, Clip, Expand', 20, (m, h) => {
    const size = m.op('Clip', [m.reduce('ReduceL2', h, [-1]), 1e-12])
    return m.op('Div', [h, m.op('Expand', [size, m.op('Shape', [h])])])
  }),
  tokens('L2 norm by LpNormalization', 20, (m, h) => m.op('LpNormalization', [h], { axis: -1, p: 2 })),
  images('L2 norm over channels', 17, (m, h) => {
    const size = m.op('Max', [m.reduce('ReduceL2', h, [1]), 1e-6])
    return m.op('Mul', [m.op('Div', [h, size]), m.normal([1, 8, 1, 1], 0.2, 5)])
  }),
  images('L2 norm over positions', 17, (m, h) => {
    const sum = m.reduce('ReduceSum', product(m, h), [2, 3])
    return m.op('Div', [h, m.op('Sqrt', [m.op('Add', [sum, 1e-9])])])
  }),
  images(
    'LayerNorm over channels',
    17,
    (m, h) => affine([8, 1, 1], 0.1)(m, standardised(m, h, [1], pow, 1e-6)),
    {
      opset: 16,
    },
  ),
  images('LayerNorm over channels without affine part', 17, (m, h) => standardised(m, h, [1], product, 1e-6)),
  images('InstanceNorm spelt out', 17, (m, h) =>
    affine([1, 8, 1, 1], 0.2)(m, standardised(m, h, [2, 3], product)),
  ),
  images('GroupNorm spelt out', 17, (m, h) => {
    const groups = standardised(m, m.reshape(h, [1, 4, -1]), [2], pow)
    return affine([8, 1, 1], 0.2)(m, m.reshape(groups, [1, 8, 6, 6]))
  }),
  images('GroupNorm by InstanceNormalization', 17, (m, h) => {
    const [ones, zeros] = [m.constant([4], () => 1), m.constant([4], () => 0)]
    const groups = m.op('InstanceNormalization', [m.reshape(h, [1, 4, -1]), ones, zeros], { epsilon: 1e-5 })
    return affine([8, 1, 1], 0.2)(m, m.reshape(groups, [1, 8, 6, 6]))
  }),
  images('global response norm', 17, (m, h) => {
    const size = m.reduce('ReduceL2', h, [2, 3])
    const share = m.op('Div', [size, m.op('Add', [m.reduce('ReduceMean', size, [1]), 1e-6])])
    const scaled = m.op('Mul', [m.op('Mul', [h, share]), m.normal([1, 8, 1, 1], 0.5)])
    return m.op('Add', [m.op('Add', [scaled, m.normal([1, 8, 1, 1], 0.1)]), h])
  }),
  images('channels last: LayerNorm between two Transposes', 17, (m, h) => {
    const last = m.op('Transpose', [h], { perm: [0, 2, 3, 1] })
    return m.op('Transpose', [affine([8], 0.1)(m, standardised(m, last, [-1], pow))], { perm: [0, 3, 1, 2] })
  }),
]
