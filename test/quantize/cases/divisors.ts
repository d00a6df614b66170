/** Divisors, roots, logarithms, powers and periodic functions between two products. */
import type { ModelBuilder } from '../../helpers/builder.js'
import { INT64 } from '../../helpers/model.js'
import type { QuantizationCase } from './case.js'

type Chain = (m: ModelBuilder, h: string) => string

const [FROM, WIDTH, TO] = [16, 24, 8]

/** x [1, 4, 16], a product, the chain (which keeps the last size), a product. */
function between(
  name: string,
  bar: number,
  chain: Chain,
  more: Partial<QuantizationCase> = {},
): QuantizationCase {
  return {
    name,
    bar,
    model: (m) => {
      const h = m.linear(m.input('x', [1, 4, FROM]), FROM, WIDTH, true)
      m.output(m.linear(chain(m, h), WIDTH, TO, true))
    },
    sample: (random) => {
      const size = 10 ** random.uniform(-0.5, 0.3)
      return { x: random.tensor([1, 4, FROM], () => random.normal(size)) }
    },
    ...more,
  }
}

const square = (m: ModelBuilder, x: string) => m.op('Mul', [x, x])

/** Sounds of very different level: a convolution as a filter bank, [1, 8, 30]. */
function sounds(name: string, bar: number, chain: Chain, channels = 8): QuantizationCase {
  return {
    name,
    bar,
    model: (m) => {
      const bank = m.normal([8, 1, 16], 0.25)
      const h = m.op('Conv', [m.input('x', [1, 1, 256]), bank], { strides: [8] })
      const y = m.op('Relu', [m.conv(chain(m, h), channels, 6, [3])])
      m.output(m.linear(m.reduce('ReduceMean', y, [2], 0), 6, 4, true))
    },
    sample: (random) => {
      const [level, frequency] = [10 ** random.uniform(-2, 0), random.uniform(0.05, 1)]
      return {
        x: random.tensor([1, 1, 256], (i) => level * (Math.sin(frequency * i) + random.normal(0.1))),
      }
    },
  }
}

export const divisors: readonly QuantizationCase[] = [
  between('Softmax spelt out', 25, (m, h) => {
    const e = m.op('Exp', [m.op('Sub', [h, m.reduce('ReduceMax', h, [-1])])])
    return m.op('Div', [e, m.reduce('ReduceSum', e, [-1])])
  }),
  between('Softmax spelt out without a maximum', 25, (m, h) => {
    const e = m.op('Exp', [h])
    return m.op('Div', [e, m.reduce('ReduceSum', e, [-1])])
  }),
  between('x / (1 + exp(-x))', 25, (m, h) =>
    m.op('Div', [h, m.op('Add', [1, m.op('Exp', [m.op('Neg', [h])])])]),
  ),
  between('squared distances to centres', 20, (m, h) => {
    const [centres, width] = [m.normal([WIDTH, WIDTH], 1), m.normal([WIDTH], 0.5)]
    const own = m.reduce('ReduceSum', square(m, h), [-1])
    const cross = m.op('Mul', [m.op('MatMul', [h, centres]), -2])
    const theirs = m.op('Abs', [m.op('Mul', [width, 40])])
    const distance = m.op('Add', [m.op('Add', [own, cross]), theirs])
    return m.op('Exp', [m.op('Mul', [distance, -0.02])])
  }),
  between('geometric mean', 25, (m, h) => {
    const logs = m.op('Log', [m.op('Add', [m.op('Abs', [h]), 1e-6])])
    return m.op('Mul', [h, m.op('Exp', [m.reduce('ReduceMean', logs, [-1])])])
  }),
  between(
    'angles: Sin and Cos of large numbers',
    12,
    (m, h) => {
      const angle = m.op('Mul', [m.slice(h, 2, 0, WIDTH / 2), 20])
      return m.op('Concat', [m.op('Sin', [angle]), m.op('Cos', [angle])], { axis: -1 })
    },
    { sample: (random) => ({ x: random.tensor([1, 4, FROM]) }) },
  ),
  between('an angle by Atan of a quotient', 15, (m, h) => {
    const [a, b] = m.ops('Split', 2, [h, m.int64([WIDTH / 2, WIDTH / 2])], { axis: -1 }) as [string, string]
    const angle = m.op('Atan', [m.op('Div', [a, m.op('Add', [m.op('Abs', [b]), 0.1])])])
    return m.op('Concat', [angle, m.op('Sqrt', [m.op('Add', [square(m, a), square(m, b)])])], { axis: -1 })
  }),
  between('pooling by the power of 3', 20, (m, h) => {
    const cubes = m.op('Pow', [m.op('Clip', [h, 1e-6]), 3])
    const mean = m.op('Pow', [m.reduce('ReduceMean', cubes, [1]), 1 / 3])
    return m.op('Mul', [mean, m.op('Sigmoid', [h])])
  }),
  between('linear attention: numerator by denominator', 18, (m, h) => {
    const f = m.op('Add', [m.op('Elu', [h], { alpha: 1 }), 1])
    const state = m.op('MatMul', [m.op('Transpose', [f], { perm: [0, 2, 1] }), h])
    const sum = m.op('Transpose', [m.reduce('ReduceSum', f, [1])], { perm: [0, 2, 1] })
    const divisor = m.op('Add', [m.op('MatMul', [f, sum]), 1e-6])
    return m.op('Div', [m.op('MatMul', [f, state]), divisor])
  }),
  between(
    'mean of the tokens that count',
    25,
    (m, h) => {
      const mask = m.op('Unsqueeze', [m.input('mask', [1, 4], INT64), m.int64([2])])
      const weights = m.op('Cast', [mask], { to: 1 })
      const sum = m.reduce('ReduceSum', m.op('Mul', [h, weights]), [1])
      return m.op('Div', [sum, m.op('Clip', [m.reduce('ReduceSum', weights, [1]), 1e-9])])
    },
    {
      sample: (random) => {
        const seen = random.integer(1, 4)
        return { x: random.tensor([1, 4, FROM]), mask: random.int64([1, 4], (i) => Number(i < seen)) }
      },
    },
  ),
  {
    name: 'cosine similarity of two embeddings',
    bar: 20,
    model: (m) => {
      const unit = (x: string) => {
        const h = m.op('Relu', [m.linear(x, FROM, WIDTH, true)])
        return m.op('Div', [
          m.linear(h, WIDTH, WIDTH),
          m.op('Max', [m.reduce('ReduceL2', m.linear(h, WIDTH, WIDTH), [-1]), 1e-8]),
        ])
      }
      const [a, b] = [unit(m.input('a', [6, FROM])), unit(m.input('b', [6, FROM]))]
      m.output(m.op('MatMul', [a, m.op('Transpose', [b], { perm: [1, 0] })]))
    },
    sample: (random) => ({ a: random.tensor([6, FROM]), b: random.tensor([6, FROM]) }),
  },
  {
    name: 'rotary positions',
    bar: 25,
    model: (m) => {
      const x = m.input('x', [1, 8, FROM])
      const positions = m.op('Cast', [m.input('positions', [1, 8], INT64)], { to: 1 })
      const rates = m.constant([1, FROM / 2], (i) => 10000 ** ((-2 * i) / FROM))
      const half = m.op('MatMul', [m.op('Unsqueeze', [positions, m.int64([2])]), rates])
      const angle = m.op('Concat', [half, half], { axis: -1 })
      const [cos, sin] = [m.op('Cos', [angle]), m.op('Sin', [angle])]
      const turned = (v: string) => {
        const [a, b] = [m.slice(v, 2, 0, FROM / 2), m.slice(v, 2, FROM / 2, FROM)]
        const other = m.op('Concat', [m.op('Neg', [b]), a], { axis: -1 })
        return m.op('Add', [m.op('Mul', [v, cos]), m.op('Mul', [other, sin])])
      }
      const [q, k] = [turned(m.linear(x, FROM, FROM)), turned(m.linear(x, FROM, FROM))]
      const scores = m.op('Mul', [m.op('MatMul', [q, m.op('Transpose', [k], { perm: [0, 2, 1] })]), 0.25])
      const mixed = m.op('MatMul', [m.op('Softmax', [scores], { axis: -1 }), m.linear(x, FROM, FROM)])
      m.output(m.linear(mixed, FROM, TO, true))
    },
    sample: (random) => {
      const start = random.integer(0, 2000)
      return { x: random.tensor([1, 8, FROM]), positions: random.int64([1, 8], (i) => start + i) }
    },
  },
  sounds('log-mel: power, filters, Max, Log', 18, (m, h) => {
    const filters = m.constant([8, 8], () => Math.abs(m.random.normal(0.6)))
    return m.op('Log', [m.op('Max', [m.op('MatMul', [filters, square(m, h)]), 1e-8])])
  }),
  sounds('decibels with a floor 80 below the loudest', 18, (m, h) => {
    const log = m.op('Log', [m.op('Clip', [square(m, h), 1e-10])])
    const decibels = m.op('Mul', [log, 10 / Math.LN10])
    const loudest = m.reduce('ReduceMax', decibels, [1, 2])
    return m.op('Div', [m.op('Max', [m.op('Sub', [decibels, loudest]), -80]), 20])
  }),
  sounds('magnitude by Sqrt, then Log1p', 18, (m, h) => {
    const size = m.op('Sqrt', [m.op('Add', [square(m, h), 1e-12])])
    return m.op('Log', [m.op('Add', [m.op('Mul', [size, 1000]), 1])])
  }),
  sounds('compression by a power of 0.3', 18, (m, h) =>
    m.op('Pow', [m.op('Add', [square(m, h), 1e-9]), 0.3]),
  ),
  sounds('mean and variance over time', 18, (m, h) => {
    const log = m.op('Log', [m.op('Add', [square(m, h), 1e-7])])
    const d = m.op('Sub', [log, m.reduce('ReduceMean', log, [2])])
    const deviation = m.op('Sqrt', [m.reduce('ReduceMean', square(m, d), [2])])
    return m.op('Div', [d, m.op('Add', [deviation, 1e-5])])
  }),
  sounds('gain control: a spectrum by its own mean', 18, (m, h) => {
    const energy = square(m, h)
    const mean = m.op('Add', [m.reduce('ReduceMean', energy, [2]), 1e-6])
    const leveled = m.op('Div', [energy, m.op('Pow', [mean, 0.98])])
    return m.op('Sub', [m.op('Pow', [m.op('Add', [leveled, 2]), 0.5]), Math.SQRT2])
  }),
  sounds(
    'mean and deviation over time, joined',
    15,
    (m, h) => {
      const mean = m.reduce('ReduceMean', h, [2])
      const variance = m.op('Sub', [m.reduce('ReduceMean', square(m, h), [2]), square(m, mean)])
      const deviation = m.op('Sqrt', [m.op('Clip', [variance, 1e-10])])
      const level = m.op('Log', [m.op('Concat', [m.op('Abs', [mean]), deviation], { axis: 1 })])
      return m.op('Max', [level, -9])
    },
    16,
  ),
]
