import { expect, it } from 'vitest'
import { floats, ints, texts } from '../../lib/plan/attributes.js'
import { steps } from '../../lib/plan/build.js'
import type { Plan } from '../../lib/plan/plan.js'
import { printPlan } from '../../lib/plan/print.js'
import { parseDraft, trimmed } from '../helpers/plan-text.js'

const text = trimmed(`
  input x: uint8[N, 4]
  constant s: float32[] = 0.5
  f: float32[N, 4] = DequantizeLinear(x: x(s)) convert #dq
  a: float32[N, 4], - = Pool(x: f) { fn: max, kernel: [1, 1], pads: [N, 0, 0, 0] } float #p #q (a reason)
  alias b: float32[4, N] of a
  constant v: float32[2] = 1.5, -2
  state o: float64[9] = ObserveHistogram(x: b) { bins: 2 } data
  output y: float32[4, N] = Copy(x: b) data
  keep a
  return y`)

it('a draft is the same after its text was read', () => {
  const printed = printPlan(parseDraft(text))
  expect(printed).toBe(text.replace('constant v: float32[2] = 1.5, -2\n', ''))
  expect(printPlan(parseDraft(printed))).toBe(printed)
})

it('tensors of one name, and those without, are numbered; large constants and files are not shown', () => {
  const tensor = (name: string, more = {}) =>
    ({ name, dtype: 'float32', dims: [32], kind: 'scratch', ...more }) as const
  const data = new Uint8Array(128)
  const file = { descriptor: 1 } as never
  const plan: Plan = {
    symbols: [
      { name: 'N', source: { kind: 'input' } },
      { name: 'k', source: { kind: 'data', tensor: 3, index: 0 } },
    ],
    tensors: [
      tensor('a', { kind: 'input' }),
      tensor('', { kind: 'constant', data }),
      tensor('a', { kind: 'constant', file }),
      tensor('a'),
      tensor('y', { kind: 'output' }),
    ],
    inputs: [0],
    outputs: [4],
    steps: [
      { ...steps.Where({ condition: 0, a: 1, b: 2 }), outputs: [3], nodes: [] },
      {
        op: 'Unknown',
        inputs: [3, -1],
        outputs: [4],
        attributes: { fn: texts('x', 'y'), n: ints(1), f: floats(0.5, 2) },
        nodes: [],
        kind: 'float',
      },
    ],
  }
  expect(printPlan(plan)).toBe(
    trimmed(`
    symbol N: input
    symbol k: data 3 0
    input a: float32[32]
    constant %0: float32[32] = 128 bytes
    constant a%1: float32[32] in a file
    a%2: float32[32] = Where(condition: a, a: %0, b: a%1) data
    output y: float32[32] = Unknown(a%2, -) { f: [0.5, 2.0], fn: [x, y], n: [1] } float
    return y`),
  )
})

it('nested plans are indented below their step', () => {
  const inner: Plan = {
    symbols: [],
    tensors: [{ name: 'c', dtype: 'bool', dims: [], kind: 'input' }],
    inputs: [0],
    outputs: [0],
    steps: [],
  }
  const plan = { kind: 'plan', value: inner } as const
  // biome-ignore lint/suspicious/noThenProperty: the name that the engine reads; never awaited
  const branches = { then: plan, else: plan }
  const outer: Plan = {
    symbols: [],
    tensors: [
      { name: 'c', dtype: 'bool', dims: [], kind: 'input' },
      { name: 'y', dtype: 'bool', dims: [], kind: 'provided' },
    ],
    inputs: [0],
    outputs: [1],
    steps: [{ ...steps.If({ condition: 0, captures: [0] }, branches), outputs: [1], nodes: [] }],
  }
  expect(printPlan(outer)).toBe(`input c: bool[]
provided y: bool[] = If(condition: c, captures: [c]) { else: plan, then: plan } data
  then:
    input c: bool[]
    return c
  else:
    input c: bool[]
    return c
return y
`)
})
