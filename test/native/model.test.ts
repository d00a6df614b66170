/** The addon through its typed contract: load, run, cancel, release. Plans are written by hand. */
import { describe, expect, test } from 'vitest'
import { symbol } from '../../lib/graph/expr.js'
import { binding } from '../../lib/native/load.js'
import { encodePlan } from '../../lib/plan/encode.js'
import type { Plan, PlanTensor } from '../../lib/plan/plan.js'

const n = symbol('n')
const float = (name: string, kind: PlanTensor['kind'], more: Partial<PlanTensor> = {}): PlanTensor => ({
  name,
  dtype: 'float32',
  dims: [n, 2],
  kind,
  ...more,
})
const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
const ints = (...value: number[]) => ({ kind: 'ints' as const, value })

/** A feed and its type, as the addon takes them. */
const feed = (dtype: number, dims: number[], data: Uint8Array) =>
  [[data], Float64Array.of(dtype, dims.length, ...dims)] as const
const floats = (results: readonly (ArrayBuffer | number)[]) => [
  ...new Float32Array(results[0] as ArrayBuffer),
]

/** y[n, 4] = concat(x[n, 2], x[n, 2]) */
const twice: Plan = {
  symbols: [{ name: 'n', source: { kind: 'input' } }],
  tensors: [float('x', 'input'), float('y', 'output', { dims: [n, 4] })],
  inputs: [0],
  outputs: [1],
  steps: [
    {
      op: 'Concat',
      inputs: [0, 0],
      outputs: [1],
      attributes: { axis: ints(1) },
      nodes: ['cat'],
      kind: 'data',
    },
  ],
}

async function load(plan: Plan, threads = 2) {
  const { words, buffers } = encodePlan(plan)
  return binding().load(words, buffers, { threads })
}

describe('a model', () => {
  test('runs with sizes of any batch', async () => {
    const model = await load(twice)
    for (const rows of [1, 3, 1, 0, 2]) {
      const data = bytes(...Array.from({ length: rows * 2 }, (_, i) => i))
      const results = await model.run(...feed(1, [rows, 2], data), [0])
      expect(results.slice(1)).toEqual([1, 2, rows, 4])
      const rowsOf = Array.from({ length: rows }, (_, r) => [2 * r, 2 * r + 1, 2 * r, 2 * r + 1])
      expect(floats(results)).toEqual(rowsOf.flat())
    }
    model.release()
  })

  test('queues runs, and runSync in the middle of them', async () => {
    const model = await load(twice)
    const input = (v: number) => feed(1, [1, 2], bytes(v, v))
    const runs = Array.from({ length: 50 }, (_, i) => model.run(...input(i), [0]))
    expect(floats(model.runSync(...input(99), [0]))).toEqual([99, 99, 99, 99])
    const results = await Promise.all(runs)
    results.forEach((result, i) => {
      expect(floats(result)).toEqual([i, i, i, i])
    })
  })

  test('gives the outputs asked for, in their order, and without a list all', async () => {
    const model = await load({ ...twice, outputs: [1, 0] })
    const input = feed(1, [1, 2], bytes(1, 2))
    const y = [1, 2, 1, 4]
    const x = [1, 2, 1, 2]
    const sizes = (results: readonly unknown[]) => results.filter((value) => typeof value === 'number')
    expect(sizes(await model.run(...input))).toEqual([...y, ...x])
    expect(sizes(model.runSync(...input))).toEqual([...y, ...x])
    expect(sizes(model.runSync(...input, [1, 0, 1]))).toEqual([...x, ...y, ...x])
    expect(model.runSync(...input, [])).toEqual([])
  })

  test('copies inputs at the call', async () => {
    const model = await load(twice)
    const data = bytes(1, 2)
    const run = model.run(...feed(1, [1, 2], data), [0])
    data.fill(0)
    expect(floats(await run)).toEqual([1, 2, 1, 2])
  })

  test('tells what is wrong with an input', async () => {
    const model = await load(twice)
    const run = (dtype: number, dims: number[], data: Uint8Array) =>
      model.run(...feed(dtype, dims, data), [0])
    await expect(run(1, [1, 3], bytes(1, 2, 3))).rejects.toMatchObject({
      code: 'ERR_SHAPE_MISMATCH',
      message: expect.stringContaining("input 'x': expected [1, 2], got [1, 3]"),
    })
    await expect(run(6, [1, 2], bytes(1, 2))).rejects.toThrow('expected float32, got int32')
    await expect(run(1, [1, 2], bytes(1))).rejects.toThrow('takes 8 bytes, got 4')
    await expect(run(1, [1], bytes(1))).rejects.toThrow('expected rank 2')
    await expect(model.run([], new Float64Array(), [0])).rejects.toThrow('expected 1 inputs, got 0')
    await expect(model.run(...feed(1, [1, 2], bytes(1, 2)), [1])).rejects.toThrow('below 1')
  })

  test.each<[string, unknown, unknown, string]>([
    ['no array of feeds', 5, Float64Array.of(), 'feeds: expected an array'],
    ['no types', [bytes(1, 2)], undefined, 'types: expected a Float64Array'],
    ['types of another kind', [bytes(1, 2)], Int32Array.of(1, 2, 1, 2), 'types: expected a Float64Array'],
    ['a type too few', [bytes(1, 2)], Float64Array.of(), 'input 0: expected the number of an element type'],
    [
      'no such type',
      [bytes(1, 2)],
      Float64Array.of(300, 0),
      'input 0: expected the number of an element type',
    ],
    [
      'half a type',
      [bytes(1, 2)],
      Float64Array.of(1.5, 0),
      'input 0: expected the number of an element type',
    ],
    ['no rank', [bytes(1, 2)], Float64Array.of(1), 'input 0: expected a rank'],
    ['a size too few', [bytes(1, 2)], Float64Array.of(1, 2, 1), 'input 0: expected dims to be non-negative'],
    [
      'a negative size',
      [bytes(1, 2)],
      Float64Array.of(1, 2, 1, -2),
      'input 0: expected dims to be non-negative',
    ],
    ['NaN for a size', [bytes(1, 2)], Float64Array.of(1, 2, 1, Number.NaN), 'dims to be non-negative'],
    ['too many axes', [bytes(1, 2)], Float64Array.of(1, 90, ...new Array(90).fill(1)), 'axes are supported'],
    ['a type too many', [bytes(1, 2)], Float64Array.of(1, 2, 1, 2, 1), 'types: expected those of 1 tensors'],
    ['no bytes', [null], Float64Array.of(1, 2, 1, 2), 'input 0: expected a Uint8Array'],
    ['floats', [Float32Array.of(1, 2)], Float64Array.of(1, 2, 1, 2), 'input 0: expected a Uint8Array'],
  ])('refuses %s', async (_, data, types, message) => {
    const model = await load(twice)
    await expect(model.run(data as Uint8Array[], types as Float64Array, [0])).rejects.toThrow(message)
    expect(() => model.runSync(data as Uint8Array[], types as Float64Array, [0])).toThrow(message)
  })

  test('is cancelled before it starts', async () => {
    const model = await load(twice)
    const token = binding().token()
    token.cancel()
    const data = bytes(1, 2)
    await expect(model.run(...feed(1, [1, 2], data), [0], token)).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    const { words, buffers } = encodePlan(twice)
    await expect(binding().load(words, buffers, {}, token)).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })

  test('finishes runs in flight when released, and takes no more', async () => {
    const model = await load(twice)
    const input = feed(1, [1, 2], bytes(1, 2))
    const runs = [model.run(...input, [0]), model.run(...input, [0])]
    model.release()
    model.release()
    expect((await Promise.all(runs)).length).toBe(2)
    await expect(model.run(...input, [0])).rejects.toMatchObject({ code: 'ERR_SESSION_DISPOSED' })
  })

  test('computes steps over constants at load', async () => {
    const model = await load({
      ...twice,
      symbols: [],
      tensors: [
        float('c', 'constant', { dims: [1, 2], data: bytes(5, 6) }),
        float('cc', 'scratch', { dims: [1, 4] }),
        float('x', 'input', { dims: [1, 4] }),
        float('y', 'output', { dims: [2, 4] }),
      ],
      inputs: [2],
      outputs: [3],
      steps: [
        {
          op: 'Concat',
          inputs: [0, 0],
          outputs: [1],
          attributes: { axis: ints(1) },
          nodes: [],
          kind: 'data',
        },
        {
          op: 'Concat',
          inputs: [1, 2],
          outputs: [3],
          attributes: { axis: ints(0) },
          nodes: [],
          kind: 'data',
        },
      ],
    })
    model.setProfiling(true)
    expect(floats(await model.run(...feed(1, [1, 4], bytes(1, 2, 3, 4)), [0]))).toEqual([
      5, 6, 5, 6, 1, 2, 3, 4,
    ])
    expect(model.profile().map(({ step }) => step)).toEqual([1])
    expect(model.memory().arena).toBeGreaterThan(0)
  })
})

describe('a malformed plan', () => {
  test.each<[string, Partial<Plan>, string]>([
    [
      'unknown step',
      { steps: [{ ...(twice.steps[0] as Plan['steps'][0]), op: 'Nope' }] },
      'no such operator',
    ],
    ['output of nobody', { steps: [] }, 'is not computed'],
    [
      'alias of itself',
      { tensors: [...twice.tensors, float('a', 'alias', { of: 2 })] },
      'aliases of each other',
    ],
    ['input not listed', { tensors: [...twice.tensors, float('z', 'input')] }, 'not listed'],
  ])('%s', async (_, change, message) => {
    await expect(load({ ...twice, ...change })).rejects.toThrow(message)
  })

  test('with any word changed is refused or runs', async () => {
    const { words, buffers } = encodePlan(twice)
    for (let i = 0; i < words.length; i++) {
      for (const value of [-1, 0, 1, 7, 0x7fffffff, (words[i] as number) ^ 1]) {
        const changed = words.slice()
        changed[i] = value
        const model = await binding()
          .load(changed, buffers, {})
          .catch(() => undefined)
        await model?.run(...feed(1, [1, 2], bytes(1, 2)), [0]).catch(() => undefined)
      }
    }
  })
})
