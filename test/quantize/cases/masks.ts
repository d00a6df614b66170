/** Operands whose range only means "off": masks before Softmax, Log(0) before Sigmoid, padding before a maximum. */
import type { ModelBuilder } from '../../helpers/builder.js'
import { INT64 } from '../../helpers/model.js'
import type { Random } from '../../helpers/random.js'
import type { QuantizationCase } from './case.js'
import type { Feeds } from './trial.js'

const BOOL = 9
const [LENGTH, WIDTH, HEADS] = [6, 16, 2]
const BAR = 25

type Mask = (m: ModelBuilder, scores: string) => string

/** Attention with two heads over x [1, 6, 16]; `mask` makes masked scores [1, 2, 6, 6] of scores. */
function attention(m: ModelBuilder, mask: Mask): void {
  const x = m.input('x', [1, LENGTH, WIDTH])
  const heads = (perm: number[]) =>
    m.op('Transpose', [m.reshape(m.linear(x, WIDTH, WIDTH), [0, 0, HEADS, WIDTH / HEADS])], { perm })
  const scores = m.op('MatMul', [heads([0, 2, 1, 3]), heads([0, 2, 3, 1])])
  const masked = mask(m, m.op('Div', [scores, Math.sqrt(WIDTH / HEADS)]))
  const mixed = m.op('MatMul', [m.op('Softmax', [masked], { axis: -1 }), heads([0, 2, 1, 3])])
  const joined = m.reshape(m.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), [0, 0, WIDTH])
  m.output(m.op('Relu', [m.linear(joined, WIDTH, 8, true)]))
}

const states = (random: Random) => random.tensor([1, LENGTH, WIDTH])

/** The first `seen` positions are real, at least two. */
function padding(random: Random): boolean[] {
  const seen = random.integer(2, LENGTH)
  return Array.from({ length: LENGTH }, (_, i) => i < seen)
}

const causal = (off: number) => (m: ModelBuilder) =>
  m.constant([LENGTH, LENGTH], (i) => (i % LENGTH > Math.floor(i / LENGTH) ? off : 0))

const alone = (random: Random): Feeds => ({ x: states(random) })
const withInts = (random: Random): Feeds => {
  const seen = padding(random)
  return { x: states(random), mask: random.int64([1, LENGTH], (i) => Number(seen[i])) }
}
const withBools = (random: Random): Feeds => {
  const seen = padding(random)
  return { x: states(random), mask: random.bool([1, 1, 1, LENGTH], (i) => seen[i] === true) }
}

/** (1 - mask) as float, [1, 1, 1, 6], of an int64 input. */
function inverted(m: ModelBuilder): string {
  const mask = m.op('Unsqueeze', [m.input('mask', [1, LENGTH], INT64), m.int64([1, 2])])
  return m.op('Sub', [1, m.op('Cast', [mask], { to: 1 })])
}

const boolMask = (m: ModelBuilder) => m.input('mask', [1, 1, 1, LENGTH], BOOL)

function masked(
  name: string,
  sample: (random: Random) => Feeds,
  mask: Mask,
  more: Partial<QuantizationCase> = {},
): QuantizationCase {
  return { name, bar: BAR, sample, model: (m) => attention(m, mask), ...more }
}

export const masks: readonly QuantizationCase[] = [
  masked('Where of a fed mask, -inf', withBools, (m, s) => m.op('Where', [boolMask(m), s, -Infinity])),
  masked('Where of a fed mask, -10000', withBools, (m, s) => m.op('Where', [boolMask(m), s, -1e4])),
  masked('Where of its negation, the lowest float first', withBools, (m, s) =>
    m.op('Where', [m.op('Not', [boolMask(m)]), -3.4028234663852886e38, s]),
  ),
  masked('(1 - mask) * -10000 is added', withInts, (m, s) =>
    m.op('Add', [s, m.op('Mul', [inverted(m), -1e4])]),
  ),
  masked('(1 - mask) * lowest float is added', withInts, (m, s) =>
    m.op('Add', [m.op('Mul', [inverted(m), -3.4028234663852886e38]), s]),
  ),
  masked('(1 - mask) * 1e9 is subtracted', withInts, (m, s) =>
    m.op('Sub', [s, m.op('Mul', [inverted(m), 1e9])]),
  ),
  masked('a causal constant of -inf is added', alone, (m, s) => m.op('Add', [s, causal(-Infinity)(m)])),
  masked('a causal constant of -10000 is added', alone, (m, s) => m.op('Add', [s, causal(-1e4)(m)])),
  masked(
    'a causal mask made by Trilu',
    alone,
    (m, s) => {
      const full = m.op('Expand', [-Infinity, m.int64([LENGTH, LENGTH])])
      return m.op('Add', [s, m.op('Trilu', [full, m.int64(1)], { upper: 1 })])
    },
    { opset: 14 },
  ),
  masked('positions compared by GreaterOrEqual', alone, (m, s) => {
    const positions = m.op('Range', [m.int64(0), m.int64(LENGTH), m.int64(1)])
    const rows = m.op('Unsqueeze', [positions, m.int64([1])])
    return m.op('Where', [m.op('GreaterOrEqual', [rows, positions]), s, -65504])
  }),
  masked('scores * mask - 10000 * (1 - mask)', withInts, (m, s) => {
    const off = inverted(m)
    return m.op('Sub', [m.op('Mul', [s, m.op('Sub', [1, off])]), m.op('Mul', [off, 1e4])])
  }),
  masked(
    'a mask of 0 and -10000 is fed',
    (random) => {
      const seen = padding(random)
      return { x: states(random), mask: random.tensor([1, 1, 1, LENGTH], (i) => (seen[i] ? 0 : -1e4)) }
    },
    (m, s) => m.op('Add', [s, m.input('mask', [1, 1, 1, LENGTH])]),
  ),
  masked('the logarithm of the mask is added', withInts, (m, s) => {
    const mask = m.op('Cast', [m.input('mask', [1, LENGTH], INT64)], { to: 1 })
    return m.op('Add', [s, m.op('Log', [m.op('Unsqueeze', [mask, m.int64([1, 2])])])])
  }),
  {
    name: 'Log(0) before Sigmoid',
    bar: BAR,
    model: (m) => {
      const x = m.op('Relu', [m.linear(m.input('x', [1, WIDTH]), WIDTH, 24)])
      const gate = m.op('Sigmoid', [m.op('Log', [x])])
      m.output(m.op('Relu', [m.linear(gate, 24, 8, true)]))
    },
    sample: (random) => ({ x: random.tensor([1, WIDTH]) }),
  },
  {
    name: 'padded positions are -1e9 before a maximum',
    bar: BAR,
    model: (m) => {
      const h = m.linear(m.input('x', [1, LENGTH, WIDTH]), WIDTH, WIDTH, true)
      const mask = m.op('Unsqueeze', [m.input('mask', [1, LENGTH], INT64), m.int64([2])])
      const kept = m.op('Where', [m.op('Equal', [mask, m.int64(0)]), -1e9, h])
      m.output(m.linear(m.reduce('ReduceMax', kept, [1], 0), WIDTH, 8, true))
    },
    sample: withInts,
  },
  {
    name: '-inf around an image before MaxPool',
    bar: BAR,
    model: (m) => {
      const h = m.conv(m.input('x', [1, 3, 8, 8]), 3, 8, [3, 3])
      const padded = m.op('Pad', [h, m.int64([0, 0, 1, 1, 0, 0, 1, 1]), -Infinity])
      const pooled = m.op('MaxPool', [padded], { kernel_shape: [3, 3], strides: [2, 2] })
      m.output(m.conv(pooled, 8, 4, [3, 3]))
    },
    sample: (random) => ({ x: random.tensor([1, 3, 8, 8]) }),
  },
  ...[-Infinity, -1e4].map(
    (off): QuantizationCase => ({
      name: `nothing but Where of ${off}, Softmax, MatMul`,
      bar: off === -1e4 ? BAR : 28,
      model: (m) => {
        const [s, mask, v] = [
          m.input('s', [1, 4, 4]),
          m.input('mask', [1, 4, 4], BOOL),
          m.input('v', [1, 4, 8]),
        ]
        const p = m.op('Softmax', [m.op('Where', [mask, s, off])], { axis: -1 })
        m.output(m.op('Relu', [m.op('MatMul', [p, v])]))
      },
      sample: (random) => ({
        s: random.tensor([1, 4, 4]),
        mask: random.bool([1, 4, 4], (i) => i % 4 <= Math.floor(i / 4)),
        v: random.tensor([1, 4, 8]),
      }),
    }),
  ),
]
