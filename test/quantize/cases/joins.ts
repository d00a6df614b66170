/** Parts of very different size joined before a product whose weights make up for it. */
import type { ModelBuilder } from '../../helpers/builder.js'
import { backbone, CELLS, CHANNELS, HEIGHT, image, WIDTH } from './backbone.js'
import type { QuantizationCase } from './case.js'

/** Features of a convolution joined with something else, then a convolution over all of it. */
function skip(
  name: string,
  other: (m: ModelBuilder, features: string) => string,
  channels: number,
  /** How large the other part is: the weights make up for it. */
  size: number,
): QuantizationCase {
  return {
    name,
    bar: 25,
    model: (m) => {
      const features = backbone(m)
      const joined = m.op('Concat', [features, other(m, features)], { axis: 1 })
      const total = CHANNELS + channels
      const weights = m.constant([6, total, 3, 3], (i) => {
        return m.random.normal(Math.floor(i / 9) % total < CHANNELS ? 0.15 : 0.15 / size)
      })
      const c = m.op('Conv', [joined, weights], { pads: [1, 1, 1, 1] })
      m.output(m.conv(m.op('Relu', [c]), 6, 4, [1, 1]))
    },
    sample: image,
  }
}

export const joins: readonly QuantizationCase[] = [
  skip(
    'coordinates 0 to 639 beside features',
    (m) => {
      return m.constant([1, 2, HEIGHT, WIDTH], (i) =>
        i < CELLS ? 80 * (i % WIDTH) : 80 * Math.floor((i - CELLS) / WIDTH),
      )
    },
    2,
    300,
  ),
  skip(
    'features of 1 and of 300',
    (m, features) => m.op('Mul', [m.conv(features, CHANNELS, 4, [1, 1]), 300]),
    4,
    300,
  ),
  skip(
    'features of 1 and of 0.002',
    (m, features) => m.op('Mul', [m.conv(features, CHANNELS, 4, [1, 1]), 0.002]),
    4,
    0.002,
  ),
  skip('the image of 0 to 255 beside features', (m) => m.op('Add', [m.op('Mul', ['x', 40]), 128]), 3, 128),
  {
    name: 'Where between large and small',
    bar: 25,
    model: (m) => {
      const x = m.input('x', [1, 6, 16])
      const [large, small] = [m.op('Mul', [m.linear(x, 16, 16), 500]), m.linear(x, 16, 16)]
      const parts = m.constant([16], (i) => (i < 8 ? 1 : 0))
      const either = m.op('Where', [m.op('Greater', [parts, 0.5]), large, small])
      const weights = m.constant([16, 8], (i) => m.random.normal(i < 64 ? 0.0005 : 0.25))
      m.output(m.op('MatMul', [either, weights]))
    },
    sample: (random) => ({ x: random.tensor([1, 6, 16]) }),
  },
  {
    name: 'stacked by Unsqueeze and Concat, taken apart by Gather',
    bar: 25,
    model: (m) => {
      const x = m.input('x', [1, 16])
      const parts = [1, 1000, 0.01].map((size) => {
        const part = m.op('Mul', [m.op('Tanh', [m.linear(x, 16, 12)]), size])
        return m.op('Unsqueeze', [part, m.int64([1])])
      })
      const stack = m.op('Concat', parts, { axis: 1 })
      const taken = (i: number) => m.op('Gather', [stack, m.int64(i)], { axis: 1 })
      m.output(m.linear(taken(0), 12, 4), m.linear(taken(1), 12, 4), m.linear(taken(2), 12, 4))
    },
    sample: (random) => ({ x: random.tensor([1, 16]) }),
  },
]
