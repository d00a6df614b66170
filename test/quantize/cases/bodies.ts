/** Bodies of If, Loop and Scan, and recurrent layers. */
import type { ModelBuilder } from '../../helpers/builder.js'
import { INT64 } from '../../helpers/model.js'
import type { QuantizationCase } from './case.js'

const BOOL = 9
const [STEPS, WIDTH, HIDDEN] = [10, 12, 16]

type Direction = 'forward' | 'reverse' | 'bidirectional'

const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const

/** y [10, directions, 1, hidden] of x [10, 1, width]. */
function recurrent(
  m: ModelBuilder,
  opType: keyof typeof GATES,
  x: string,
  direction: Direction,
  more: Readonly<Record<string, number>> = {},
): string {
  const [directions, gates] = [direction === 'bidirectional' ? 2 : 1, GATES[opType]]
  const w = m.normal([directions, gates * HIDDEN, WIDTH], 0.3)
  const r = m.normal([directions, gates * HIDDEN, HIDDEN], 0.25)
  const b = m.normal([directions, 2 * gates * HIDDEN], 0.2)
  return m.ops(opType, 2, [x, w, r, b], { hidden_size: HIDDEN, direction, ...more })[0] as string
}

function sequence(
  name: string,
  opType: keyof typeof GATES,
  direction: Direction,
  more: Readonly<Record<string, number>> = {},
): QuantizationCase {
  const width = HIDDEN * (direction === 'bidirectional' ? 2 : 1)
  return {
    name,
    bar: 22,
    model: (m) => {
      const h = m.op('Relu', [m.linear(m.input('x', [STEPS, 1, WIDTH]), WIDTH, WIDTH, true)])
      const y = m.op('Transpose', [recurrent(m, opType, h, direction, more)], { perm: [0, 2, 1, 3] })
      m.output(m.linear(m.reshape(y, [STEPS, 1, width]), width, 4, true))
    },
    sample: (random) => ({ x: random.tensor([STEPS, 1, WIDTH]) }),
  }
}

export const bodies: readonly QuantizationCase[] = [
  sequence('LSTM', 'LSTM', 'forward'),
  sequence('LSTM in both directions', 'LSTM', 'bidirectional'),
  sequence('GRU', 'GRU', 'forward'),
  sequence('GRU from the end, linear before reset', 'GRU', 'reverse', { linear_before_reset: 1 }),
  sequence('RNN', 'RNN', 'forward'),
  {
    name: 'a network in each branch of an If',
    bar: 25,
    model: (m) => {
      const x = m.input('x', [1, 3, 8, 8])
      const h = m.op('Relu', [m.conv(x, 3, 6, [3, 3])])
      const branch = (kernel: number) =>
        m.body((b) => [b.conv(b.op('Relu', [b.conv(h, 6, 8, [kernel, kernel])]), 8, 4, [1, 1])])
      const flag = m.input('flag', [], BOOL)
      m.output(m.op('If', [flag], { then_branch: branch(3), else_branch: branch(5) }))
    },
    sample: (random, i) => ({ x: random.tensor([1, 3, 8, 8]), flag: random.bool([], () => i % 2 === 0) }),
  },
  {
    name: 'a whole model in an If on what is fed',
    bar: 25,
    model: (m) => {
      const x = m.input('x', [1, 'n', WIDTH])
      const length = m.op('Gather', [m.op('Shape', [x]), m.int64(1)])
      const model = (to: number) =>
        m.body((b) => [b.linear(b.op('Relu', [b.linear(x, WIDTH, to, true)]), to, 4, true)])
      m.output(
        m.op('If', [m.op('Greater', [length, m.int64(4)])], {
          then_branch: model(16),
          else_branch: model(24),
        }),
      )
    },
    sample: (random, i) => ({ x: random.tensor([1, i % 2 === 0 ? 3 : 6, WIDTH]) }),
  },
  {
    name: 'a layer in a Loop',
    bar: 22,
    model: (m) => {
      const x = m.input('x', [1, WIDTH])
      const start = m.linear(x, WIDTH, HIDDEN, true)
      const body = m.body((b) => {
        b.input('i', [], INT64)
        const [going, state] = [b.input('going', [], BOOL), b.input('state', [1, HIDDEN])]
        const next = b.op('Tanh', [b.op('Add', [b.linear(state, HIDDEN, HIDDEN, true), start])])
        return [{ name: b.op('Identity', [going]), elemType: BOOL }, next]
      })
      m.output(m.linear(m.op('Loop', [m.int64(5), '', start], { body }), HIDDEN, 4, true))
    },
    sample: (random) => ({ x: random.tensor([1, WIDTH]) }),
  },
]
