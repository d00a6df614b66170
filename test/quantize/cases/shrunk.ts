/** What random graphs that failed were shrunk to. */
import type { ModelBuilder } from '../../helpers/builder.js'
import type { QuantizationCase } from './case.js'

/** What a random graph must reach. */
const BAR = 15

/** x [1, 10, 8] between two products. */
function between(name: string, chain: (m: ModelBuilder, h: string) => string): QuantizationCase {
  return {
    name,
    bar: BAR,
    model: (m) => m.output(m.linear(chain(m, m.linear(m.input('x', [1, 10, 8]), 8, 6)), 6, 6)),
    sample: (random) => ({ x: random.tensor([1, 10, 8]) }),
  }
}

/** Scores [1, 10, 10] of two products of x, changed, through Softmax to a third. */
function scored(
  name: string,
  factor: number,
  change: (m: ModelBuilder, scores: string) => string,
): QuantizationCase {
  return {
    name,
    bar: BAR,
    model: (m) => {
      const x = m.input('x', [1, 10, 8])
      const turned = m.op('Transpose', [m.linear(x, 8, 6)], { perm: [0, 2, 1] })
      const scores = m.op('Mul', [m.op('MatMul', [m.linear(x, 8, 6), turned]), factor])
      const shares = m.op('Softmax', [change(m, scores)], { axis: -1 })
      m.output(m.op('MatMul', [shares, m.linear(x, 8, 6)]))
    },
    sample: (random) => ({ x: random.tensor([1, 10, 8]) }),
  }
}

export const shrunk: readonly QuantizationCase[] = [
  scored('a causal constant of the lowest float', 0.4, (m, scores) =>
    m.op('Add', [scores, m.constant([10, 10], (i) => (i % 10 > Math.floor(i / 10) ? -3.4e38 : 0))]),
  ),
  scored('large scores', 2, (_, scores) => scores),
  scored('shares under a threshold count for nothing', 1, (m, scores) => {
    const shares = m.op('Softmax', [scores], { axis: -1 })
    return m.op('MatMul', [m.op('ThresholdedRelu', [shares], { alpha: 0.5 }), m.normal([10, 10], 2)])
  }),
  between('divided by the sum of its squares', (m, h) => {
    const squares = m.op('Mul', [h, h])
    return m.op('Div', [h, m.op('Add', [m.reduce('ReduceSum', squares, [-1]), 0.1])])
  }),
  between('divided by the mean of another axis', (m, h) => {
    const positive = m.op('Add', [m.op('Abs', [m.linear(h, 6, 6)]), 0.1])
    return m.op('Div', [h, m.reduce('ReduceMean', positive, [1])])
  }),
  between('a reciprocal that a product reads', (m, h) => {
    return m.op('Reciprocal', [m.op('Add', [m.op('Relu', [h]), 0.1])])
  }),
  {
    name: 'a cosine of what integers make',
    bar: BAR,
    model: (m) => {
      const h = m.op('HardSwish', [m.linear(m.input('x', [1, 3, 8, 8]), 8, 10)])
      m.output(m.op('Cos', [m.op('Mul', [m.reduce('ReduceMean', h, [1]), 5.9])]))
    },
    opset: 18,
    sample: (random) => ({ x: random.tensor([1, 3, 8, 8], () => random.normal(2.3, -0.9)) }),
  },
]
