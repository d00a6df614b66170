/** Tables whose columns span 0.01 to 50,000, with the standardisation inside of the model. */
import type { ModelBuilder } from '../../helpers/builder.js'
import { INT64 } from '../../helpers/model.js'
import type { Random } from '../../helpers/random.js'
import type { QuantizationCase } from './case.js'
import type { Feeds } from './trial.js'

const MEANS = [0, 3, 50000, 0, -1, 180]
const DEVIATIONS = [1, 0.5, 10000, 0.01, 1, 365]
/** What stands for a number that is not there. */
const MISSING = -99999
const COLUMNS = MEANS.length

const row = (random: Random): Feeds => ({
  x: random.tensor([1, COLUMNS], (i) => random.normal(DEVIATIONS[i], MEANS[i])),
})

const means = (m: ModelBuilder) => m.constant([COLUMNS], MEANS)
const deviations = (m: ModelBuilder) => m.constant([COLUMNS], DEVIATIONS)

/** Two layers after what makes standard columns, or nearly so. */
function network(
  name: string,
  standardise: (m: ModelBuilder, x: string) => string,
  more: Partial<QuantizationCase> & { readonly columns?: number } = {},
): QuantizationCase {
  const { columns = COLUMNS, ...rest } = more
  return {
    name,
    bar: 22,
    samples: 64,
    model: (m) => {
      const z = standardise(m, m.input('x', [1, COLUMNS]))
      const h = m.op('Relu', [m.op('Gemm', [z, m.normal([columns, 16], 0.5), m.normal([16], 0.3)])])
      m.output(m.op('Sigmoid', [m.op('Gemm', [h, m.normal([16, 3], 0.4), m.normal([3], 0.3)])]))
    },
    sample: row,
    ...rest,
  }
}

export const tabular: readonly QuantizationCase[] = [
  network('Sub and Div', (m, x) => m.op('Div', [m.op('Sub', [x, means(m)]), deviations(m)])),
  network('Mul and Add', (m, x) => {
    const scaled = m.op('Mul', [x, m.constant([COLUMNS], (i) => 1 / (DEVIATIONS[i] as number))])
    return m.op('Add', [
      scaled,
      m.constant([COLUMNS], (i) => -(MEANS[i] as number) / (DEVIATIONS[i] as number)),
    ])
  }),
  network('BatchNormalization first', (m, x) => {
    const variances = m.constant([COLUMNS], (i) => (DEVIATIONS[i] as number) ** 2)
    return m.op('BatchNormalization', [
      x,
      m.normal([COLUMNS], 0.1, 1),
      m.normal([COLUMNS], 0.1),
      means(m),
      variances,
    ])
  }),
  network('from the least to the greatest, clipped', (m, x) => {
    const low = m.constant([COLUMNS], (i) => (MEANS[i] as number) - 3 * (DEVIATIONS[i] as number))
    const share = m.op('Div', [
      m.op('Sub', [x, low]),
      m.constant([COLUMNS], (i) => 6 * (DEVIATIONS[i] as number)),
    ])
    return m.op('Sub', [m.op('Mul', [m.op('Clip', [share, 0, 1]), 4]), 2])
  }),
  network(
    'missing numbers are replaced, then Sub and Div',
    (m, x) => {
      const filled = m.op('Where', [m.op('Equal', [x, MISSING]), means(m), x])
      return m.op('Div', [m.op('Sub', [filled, means(m)]), deviations(m)])
    },
    {
      sample: (random) => ({
        x: random.tensor([1, COLUMNS], (i) =>
          random.chance(0.2) ? MISSING : random.normal(DEVIATIONS[i], MEANS[i]),
        ),
      }),
    },
  ),
  network('amounts by Clip and Log(1 + x)', (m, x) => {
    const logs = m.op('Log', [m.op('Add', [m.op('Clip', [x, 0]), 1])])
    return m.op('Sub', [logs, m.constant([COLUMNS], [0.3, 1.4, 10.8, 0, 0.2, 4])])
  }),
  network('columns taken apart, each with its own standardisation', (m, x) => {
    const parts = MEANS.map((mean, i) =>
      m.op('Div', [m.op('Sub', [m.slice(x, 1, i, i + 1), mean]), DEVIATIONS[i] as number]),
    )
    return m.op('Concat', parts, { axis: 1 })
  }),
  network(
    'a category as one-hot beside standard numbers',
    (m, x) => {
      const kind = m.op('OneHot', [m.input('kind', [1], INT64), m.int64(4), m.constant([2], [0, 1])], {
        axis: -1,
      })
      return m.op('Concat', [m.op('Div', [m.op('Sub', [x, means(m)]), deviations(m)]), kind], { axis: 1 })
    },
    {
      columns: COLUMNS + 4,
      sample: (random) => ({ ...row(random), kind: random.int64([1], () => random.integer(0, 3)) }),
    },
  ),
  network(
    'a category of an embedding beside numbers',
    (m, x) => {
      const embedded = m.op('Gather', [m.normal([10, 4], 0.8), m.input('kind', [1], INT64)], { axis: 0 })
      return m.op('Concat', [embedded, m.op('Div', [m.op('Sub', [x, means(m)]), deviations(m)])], { axis: 1 })
    },
    {
      columns: COLUMNS + 4,
      sample: (random) => ({ ...row(random), kind: random.int64([1], () => random.integer(0, 9)) }),
    },
  ),
  {
    name: 'weights that already have the scales of the columns',
    bar: 22,
    samples: 64,
    model: (m) => {
      const weights = m.constant([COLUMNS, 16], (i) =>
        m.random.normal(0.5 / (DEVIATIONS[Math.floor(i / 16)] as number)),
      )
      const bias = m.constant([16], () => m.random.normal(1))
      const h = m.op('Relu', [m.op('Gemm', [m.input('x', [1, COLUMNS]), weights, bias])])
      m.output(m.op('Gemm', [h, m.normal([16, 3], 0.4), m.normal([3], 0.3)]))
    },
    sample: (random) => ({ x: random.tensor([1, COLUMNS], (i) => random.normal(DEVIATIONS[i])) }),
  },
  {
    name: 'one-hot beside numbers of thousands, weights that make up for it',
    bar: 22,
    samples: 64,
    model: (m) => {
      const kind = m.op('OneHot', [m.input('kind', [1], INT64), m.int64(4), m.constant([2], [0, 1])], {
        axis: -1,
      })
      const joined = m.op('Concat', [kind, m.input('x', [1, 3])], { axis: 1 })
      const weights = m.constant([7, 16], (i) => m.random.normal(i < 64 ? 0.8 : 0.0004))
      const h = m.op('Relu', [m.op('Gemm', [joined, weights, m.normal([16], 0.3)])])
      m.output(m.op('Gemm', [h, m.normal([16, 3], 0.4), m.normal([3], 0.3)]))
    },
    sample: (random) => ({
      x: random.tensor([1, 3], () => random.uniform(0, 2000)),
      kind: random.int64([1], () => random.integer(0, 3)),
    }),
  },
]
