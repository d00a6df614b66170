/** What belongs to a product: per-channel Mul and Add before it, rounding that an exporter spells out. */
import type { ModelBuilder, Operand } from '../../helpers/builder.js'
import { INT64 } from '../../helpers/model.js'
import type { Random } from '../../helpers/random.js'
import type { QuantizationCase } from './case.js'

const image = (random: Random) => ({ x: random.tensor([1, 3, 8, 8]) })
const vector = (random: Random) => ({ x: random.tensor([1, 16]) })

/** Channels of very different size that a Mul and an Add make alike, as BatchNormalization of a trained model does. */
function normalised(m: ModelBuilder, x: string, sizes: readonly number[], dims: readonly number[]): string {
  const factor = m.constant(dims, (i) => 1 / (sizes[i] as number))
  return m.op('Add', [m.op('Mul', [x, factor]), m.normal(dims, 0.3)])
}

const spread = (m: ModelBuilder, channels: number) =>
  Array.from({ length: channels }, () => 10 ** m.random.uniform(-2, 1))

/** A product whose channels have the sizes. */
function uneven(m: ModelBuilder, x: string, sizes: readonly number[]): string {
  const weights = m.constant([sizes.length, 3, 3, 3], (i) =>
    m.random.normal(0.2 * (sizes[Math.floor(i / 27)] as number)),
  )
  return m.op('Conv', [x, weights], { pads: [1, 1, 1, 1] })
}

/** round(x / scale) within limits, back as floats: one node per operation. */
function rounded(
  m: ModelBuilder,
  x: Operand,
  scale: Operand,
  zero: number,
  limits: readonly [number, number],
): string {
  const level = m.op('Add', [m.op('Round', [m.op('Div', [x, scale])]), zero])
  return m.op('Mul', [m.op('Sub', [m.op('Clip', [level, ...limits]), zero]), scale])
}

export const folding: readonly QuantizationCase[] = [
  {
    name: 'Mul and Add before a convolution with zero padding',
    bar: 28,
    model: (m) => {
      const sizes = spread(m, 8)
      m.output(
        m.conv(
          normalised(m, uneven(m, m.input('x', [1, 3, 8, 8]), sizes), sizes, [1, 8, 1, 1]),
          8,
          4,
          [3, 3],
        ),
      )
    },
    sample: image,
  },
  {
    name: 'Mul and Add of a sum before a convolution without padding',
    bar: 28,
    model: (m) => {
      const sizes = spread(m, 8)
      const x = m.input('x', [1, 3, 8, 8])
      const sum = m.op('Add', [m.op('Relu', [uneven(m, x, sizes)]), m.op('Relu', [uneven(m, x, sizes)])])
      m.output(m.conv(normalised(m, sum, sizes, [8, 1, 1]), 8, 4, [1, 1]))
    },
    sample: image,
  },
  {
    name: 'Mul, Add and Relu before a convolution, after a Concat',
    bar: 25,
    model: (m) => {
      const x = m.input('x', [1, 3, 8, 8])
      const [a, b] = [spread(m, 4), spread(m, 4)]
      const joined = m.op('Concat', [uneven(m, x, a), uneven(m, x, b)], { axis: 1 })
      m.output(m.conv(m.op('Relu', [normalised(m, joined, [...a, ...b], [1, 8, 1, 1])]), 8, 4, [3, 3]))
    },
    sample: image,
  },
  {
    name: 'Mul and Add after the greatest over time, before a Gemm',
    bar: 28,
    model: (m) => {
      const sizes = spread(m, 12)
      const weights = m.constant([12, 4, 3], (i) =>
        m.random.normal(0.3 * (sizes[Math.floor(i / 12)] as number)),
      )
      const c = m.op('Relu', [m.op('Conv', [m.input('x', [1, 4, 20]), weights])])
      const z = normalised(m, m.reduce('ReduceMax', c, [2], 0), sizes, [12])
      m.output(m.op('Gemm', [z, m.normal([12, 4], 0.3), m.normal([4], 0.2)]))
    },
    sample: (random) => ({ x: random.tensor([1, 4, 20]) }),
  },
  {
    name: 'a tokenizer: embeddings, convolutions, maxima, each with Mul and Add',
    bar: 25,
    model: (m) => {
      const ids = m.input('ids', [1, 21], INT64)
      const e = m.op('Transpose', [m.op('Gather', [m.normal([40, 8], 0.5), ids])], { perm: [0, 2, 1] })
      const parts = [1, 3, 5].map((k) => {
        const sizes = spread(m, 6)
        const weights = m.constant([6, 8, k], (i) =>
          m.random.normal(0.4 * (sizes[Math.floor(i / (8 * k))] as number)),
        )
        const c = m.op('Relu', [m.op('Conv', [e, weights], { pads: [k >> 1, k >> 1] })])
        return normalised(m, m.op('GlobalMaxPool', [c]), sizes, [1, 6, 1])
      })
      const all = m.reshape(m.op('Concat', parts, { axis: 1 }), [1, 18])
      m.output(m.op('Sigmoid', [m.linear(m.op('Relu', [m.linear(all, 18, 12, true)]), 12, 2, true)]))
    },
    sample: (random) => ({ ids: random.int64([1, 21], () => random.integer(0, 39)) }),
  },
  {
    name: 'fake quantization of weights and activations, spelt out',
    bar: 30,
    model: (m) => {
      const x = rounded(m, m.input('x', [1, 16]), 0.03, 0, [-128, 127])
      const w = rounded(m, m.normal([16, 24], 0.25), 0.008, 0, [-127, 127])
      const h = m.op('Relu', [m.op('Add', [m.op('MatMul', [x, w]), m.normal([24], 0.2)])])
      const v = rounded(m, m.normal([24, 4], 0.2), 0.006, 0, [-127, 127])
      m.output(m.op('MatMul', [rounded(m, h, 0.02, -128, [-128, 127]), v]))
    },
    sample: vector,
  },
  {
    name: 'fake quantization of a convolution, weights per channel',
    bar: 30,
    model: (m) => {
      const x = rounded(m, m.input('x', [1, 3, 8, 8]), 0.03, 0, [-128, 127])
      const scales = m.constant([6, 1, 1, 1], () => 0.003 + 0.004 * m.random.uniform())
      const w = rounded(m, m.normal([6, 3, 3, 3], 0.2), scales, 0, [-128, 127])
      const c = m.op('Relu', [m.op('Conv', [x, w], { pads: [1, 1, 1, 1] })])
      m.output(m.conv(rounded(m, c, 0.02, 0, [0, 255]), 6, 4, [1, 1]))
    },
    sample: image,
  },
]
