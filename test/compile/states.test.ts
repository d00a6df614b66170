/** Graphs with states: what runs leave in them, who shares them, how JavaScript reads and writes them. */
import { describe, expect, test } from 'vitest'
import { prepare } from '../../lib/compile/model.js'
import { createRunner } from '../../lib/compile/run/create.js'
import { type CompileOptions, compileGraph, compilePlan, type Engine } from '../../lib/compile/run/engine.js'
import { StateStore, type StateValue } from '../../lib/compile/run/state-store.js'
import type { Graph } from '../../lib/graph/graph.js'
import { parseGraph } from '../helpers/graph-text.js'

const float = (dims: number[], ...values: number[]): StateValue => ({
  dtype: 'float32',
  dims,
  data: new Uint8Array(Float32Array.from(values).buffer),
})
const int64 = (dims: number[], ...values: number[]): StateValue => ({
  dtype: 'int64',
  dims,
  data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
})
const floats = (bytes: ArrayBuffer | Uint8Array | undefined) => [
  ...new Float32Array(new Uint8Array(bytes as Uint8Array).buffer),
]
const integers = (bytes: ArrayBuffer | Uint8Array | undefined) =>
  [...new BigInt64Array(new Uint8Array(bytes as Uint8Array).buffer)].map(Number)

async function engineOf(text: string | Graph, options: CompileOptions = {}): Promise<Engine> {
  const graph = typeof text === 'string' ? parseGraph(text) : text
  return compileGraph(await prepare(graph, options), options)
}

const COUNTER = `
  graph counter () -> (y: int64[1])
    one: int64[1] = 1
    state count: int64[1] = 41 <- next
    next = Add(count, one)
    y = Identity(next)
`

/** The mean of all that was fed, and an exponential average of it. */
const MEANS = `
  graph means (x: float32[2]) -> (m: float32[2])
    one: float32[] = 1
    keep: float32[] = 0.5
    take: float32[] = 0.5
    state n: float32[] <- n1
    state mean: float32[2] <- m
    state ema: float32[2] = 8 8 <- e
    n1 = Add(n, one)
    d = Sub(x, mean)
    q = Div(d, n1)
    m = Add(mean, q)
    kept = Mul(ema, keep)
    taken = Mul(x, take)
    e = Add(kept, taken)
`

/** One step of gradient descent for y = x w, and the loss before it. */
const TRAIN = `
  graph train (x: float32[4, 2], t: float32[4, 1]) -> (loss: float32[])
    rate: float32[] = 0.1
    state w: float32[2, 1] = 0 0 <- w1
    y = MatMul(x, w)
    d = Sub(y, t)
    s = Mul(d, d)
    loss = ReduceMean(s) {keepdims=0}
    xt = Transpose(x) {perm=[1, 0]}
    g = MatMul(xt, d)
    step = Mul(g, rate)
    w1 = Sub(w, step)
`

const EVALUATE = `
  graph evaluate (x: float32[n, 2]) -> (y: float32[n, 1])
    state w: float32[2, 1]
    y = MatMul(x, w)
`

describe('a state', () => {
  test.each([true, false])('counts runs from its first value (fused: %s)', async (fuse) => {
    const engine = await engineOf(COUNTER, { fuse })
    for (const expected of [42, 43, 44]) expect(integers((await engine.run({})).y?.data)).toEqual([expected])
    expect(integers(engine.states.read().count?.data)).toEqual([44])
    expect(engine.states.names).toEqual(['count'])
    engine.release()
  })

  test('is zero without a first value; several are written by one run', async () => {
    const engine = await engineOf(MEANS)
    const seen = [
      [2, 4],
      [4, 0],
      [0, 5],
      [6, -9],
    ]
    let ema = [8, 8]
    for (let i = 0; i < seen.length; i++) {
      const x = seen[i] as number[]
      const { m } = await engine.run({ x: float([2], ...x) })
      const mean = [0, 1].map((e) => seen.slice(0, i + 1).reduce((s, v) => s + (v[e] as number), 0) / (i + 1))
      ema = ema.map((v, e) => 0.5 * v + 0.5 * (x[e] as number))
      floats(m?.data).forEach((v, e) => {
        expect(v).toBeCloseTo(mean[e] as number, 5)
      })
      expect(floats(engine.states.read(['ema']).ema?.data)).toEqual(ema)
    }
    expect(floats(engine.states.read(['n']).n?.data)).toEqual([4])
    engine.release()
  })

  test('keeps its value through runs that fail and runs on the calling thread', async () => {
    const engine = await engineOf(COUNTER)
    engine.runSync({})
    await expect(engine.run({}, undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    engine.runSync({})
    expect(integers(engine.states.read().count?.data)).toEqual([43])
    engine.release()
  })

  test('gives what many runs at once would give one after the other', async () => {
    const engine = await engineOf(COUNTER, { executions: 8 })
    const results = await Promise.all(Array.from({ length: 50 }, () => engine.run({})))
    expect(results.map(({ y }) => integers(y?.data)[0])).toEqual(Array.from({ length: 50 }, (_, i) => 42 + i))
    expect(engine.memory().executions).toBe(1)
    engine.release()
  })

  test('takes the value that another had before the run: two change places', async () => {
    const engine = await engineOf(`
      graph swap () -> (y: float32[2])
        zero: int64[1] = 0
        two: int64[1] = 2
        state a: float32[2] = 1 2 <- flat
        state b: float32[1, 2] = 3 4 <- row
        state r: float32[2] <- flat
        flat = Reshape(b, two)
        row = Unsqueeze(a, zero)
        y = Add(a, flat)
    `)
    expect(floats((await engine.run({})).y?.data)).toEqual([4, 6])
    const after = engine.states.read()
    expect([after.a, after.b, after.r].map((v) => floats(v?.data))).toEqual([
      [3, 4],
      [1, 2],
      [3, 4],
    ])
    engine.release()
  })

  test('is never folded, and its update survives what removes unread nodes', async () => {
    const text = `
      graph g () -> (y: float32[2])
        two: float32[2] = 2 2
        state s: float32[2] = 1 1 <- t
        a = Mul(s, two)
        y = Mul(a, two)
        b = Identity(a)
        t = Identity(b)
    `
    const engine = await engineOf(text)
    expect(floats((await engine.run({})).y?.data)).toEqual([4, 4])
    expect(floats((await engine.run({})).y?.data)).toEqual([8, 8])
    engine.release()
  })

  test('is written by the step that computes it, in place where that step reads it', () => {
    const writers = (text: string) => {
      const { plan } = compilePlan(parseGraph(text))
      return plan.steps.flatMap(({ op, outputs }) =>
        outputs.flatMap((t) =>
          plan.tensors[t]?.kind === 'state' ? [`${op} -> ${plan.tensors[t]?.name}`] : [],
        ),
      )
    }
    // What else reads m reads the state; n1 is read under another size, and a copy of it becomes the state.
    expect(writers(MEANS)).toEqual(['Binary -> mean', 'Binary -> ema', 'Copy -> n'])
    expect(writers(TRAIN)).toEqual(['Binary -> w'])
    // s is read after the step that could write it.
    expect(
      writers(`
        graph g (x: float32[2]) -> (y: float32[2])
          state s: float32[2] <- t
          t = Add(s, x)
          y = Neg(s)
      `),
    ).toEqual(['Copy -> s'])
    // Softmax does not say that it may lie over what it reads.
    expect(
      writers(`
        graph g () -> (y: float32[2])
          state s: float32[2] = 1 2 <- t
          y = Neg(s)
          t = Softmax(s)
      `),
    ).toEqual(['Copy -> s'])
  })

  test('that gives sizes gives those it had when the run began', async () => {
    const engine = await engineOf(`
      graph sizes (x: float32[8]) -> (y: float32[k])
        zero: int64[1] = 0
        one: int64[1] = 1
        state k: int64[1] = 3 <- k1
        y = Slice(x, zero, k)
        k1 = Add(k, one)
    `)
    for (const size of [3, 4, 5]) {
      const { y } = await engine.run({ x: float([8], 0, 1, 2, 3, 4, 5, 6, 7) })
      expect(floats(y?.data)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].slice(0, size))
    }
    engine.release()
  })

  test('is read in the branches of an If', async () => {
    const engine = await engineOf(`
      graph g (c: bool[], x: float32[2]) -> (y: float32[2])
        state s: float32[2] = 1 2 <- y
        y = If(c) captures (s, x)
          then_branch () -> (p: float32[2]) captures (u, v)
            p = Add(u, v)
          else_branch () -> (q: float32[2]) captures (u, v)
            q = Sub(u, v)
    `)
    const run = async (c: number) =>
      floats(
        (await engine.run({ c: { dtype: 'bool', dims: [], data: Uint8Array.of(c) }, x: float([2], 1, 1) })).y
          ?.data,
      )
    expect(await run(1)).toEqual([2, 3])
    expect(await run(1)).toEqual([3, 4])
    expect(await run(0)).toEqual([2, 3])
    engine.release()
  })

  test('of float16 keeps its type', async () => {
    const engine = await engineOf(`
      graph g (x: float16[2]) -> (y: float16[2])
        state s: float16[2] <- y
        y = Add(s, x)
    `)
    const x: StateValue = {
      dtype: 'float16',
      dims: [2],
      data: new Uint8Array(Uint16Array.of(0x3c00, 0x4000).buffer),
    }
    await engine.run({ x })
    await engine.run({ x })
    const { s } = engine.states.read()
    expect(s?.dtype).toBe('float16')
    expect([...new Uint16Array((s as StateValue).data.buffer)]).toEqual([0x4000, 0x4400])
    engine.release()
  })

  test('of a model that is compiled for what it is fed is one for all sizes', async () => {
    // The rank of z is known with the elements of shape alone.
    const runner = await createRunner(
      parseGraph(`
        graph g (x: float32[n], shape: int64[r]) -> (y: ?)
          one: float32[1] = 1
          state s: float32[1] <- t
          z = Reshape(x, shape)
          y = Add(z, s)
          t = Add(s, one)
      `),
      {},
    )
    const run = async (...dims: number[]) => {
      const size = dims.reduce((p, d) => p * d, 1)
      const x = float([size], ...new Array<number>(size).fill(0))
      return floats((await runner.run({ x, shape: int64([dims.length], ...dims) })).y?.data)[0]
    }
    expect([await run(2), await run(2, 1), await run(2), await run(1, 3, 1)]).toEqual([0, 1, 2, 3])
    runner.release()
  })
})

describe('a store', () => {
  test('is shared by the programs that are compiled over it', async () => {
    const states = new StateStore()
    const train = await engineOf(TRAIN, { states })
    const evaluate = await engineOf(EVALUATE, { states })
    const x = float([4, 2], 1, 0, 0, 1, 1, 1, 1, -1)
    const t = float([4, 1], 2, -3, -1, 5) // w = [2, -3]
    const losses: number[] = []
    for (let i = 0; i < 60; i++) losses.push(floats((await train.run({ x, t })).loss?.data)[0] as number)
    expect(losses[0]).toBeCloseTo((4 + 9 + 1 + 25) / 4, 4)
    expect(losses.at(-1)).toBeLessThan(1e-6)
    const [a, b] = floats((await evaluate.run({ x: float([2, 2], 1, 0, 0, 1) })).y?.data)
    expect(a).toBeCloseTo(2, 3)
    expect(b).toBeCloseTo(-3, 3)
    train.release()
    // The store outlives the program that filled it.
    states.write({ w: float([2, 1], 10, 100) })
    expect(floats((await evaluate.run({ x: float([1, 2], 1, 1) })).y?.data)).toEqual([110])
    evaluate.release()
    expect(states.bytes).toBe(8)
  })

  test('is read and written by several names at once, or not at all', async () => {
    const engine = await engineOf(MEANS)
    const { states } = engine
    states.write({ ema: float([2], 1, 2), mean: float([2], 3, 4) })
    expect(Object.entries(states.read(['mean', 'ema'])).map(([k, v]) => [k, floats(v.data)])).toEqual([
      ['mean', [3, 4]],
      ['ema', [1, 2]],
    ])
    const attempts: [Record<string, StateValue>, object][] = [
      [{ ema: float([2], 9, 9), mean: float([1], 9) }, { code: 'ERR_SHAPE_MISMATCH' }],
      [{ ema: float([2], 9, 9), mean: int64([2], 9, 9) }, { code: 'ERR_SHAPE_MISMATCH' }],
      [{ ema: float([2], 9, 9), nobody: float([1], 9) }, { code: 'ERR_OUT_OF_RANGE' }],
      [{ ema: { ...float([2], 9, 9), data: new Uint8Array(3) } }, { code: 'ERR_SHAPE_MISMATCH' }],
    ]
    for (const [values, error] of attempts)
      expect(() => states.write(values)).toThrow(expect.objectContaining(error))
    expect(floats(states.read().ema?.data)).toEqual([1, 2])
    expect(() => states.read(['ema', 'x'])).toThrow("there is no state 'x': the store has ema, mean, n")
    engine.release()
  })

  test('refuses a program whose state is of another type or size', async () => {
    const states = new StateStore()
    const engine = await engineOf(EVALUATE, { states })
    const other = EVALUATE.replace('w: float32[2, 1]', 'w: float32[2, 3]').replace(
      'y: float32[n, 1]',
      'y: float32[n, 3]',
    )
    await expect(engineOf(other, { states })).rejects.toMatchObject({
      code: 'ERR_SHAPE_MISMATCH',
      message: "state 'w' is float32[2, 1] in the store, float32[2, 3] in the program",
    })
    engine.release()
  })

  test('is never seen between two writes of one run', async () => {
    const states = new StateStore()
    const write = await engineOf(
      `
      graph write (x: float32[1]) -> (y: float32[1])
        state a: float32[1] <- a1
        state b: float32[1] <- b1
        a1 = Add(a, x)
        b1 = Add(b, x)
        y = Identity(x)
    `,
      { states },
    )
    const check = await engineOf(
      `
      graph check () -> (y: float32[1])
        state a: float32[1]
        state b: float32[1]
        y = Sub(a, b)
    `,
      { states, executions: 4 },
    )
    const runs = Array.from({ length: 200 }, (_, i) =>
      i % 2 === 0
        ? write.run({ x: float([1], 1) }).then(() => 0)
        : check.run({}).then(({ y }) => floats(y?.data)[0]),
    )
    for (const difference of await Promise.all(runs)) expect(difference).toBe(0)
    expect(floats(states.read().a?.data)).toEqual([100])
    write.release()
    check.release()
  })
})

describe('a graph with a fault', () => {
  test.each([
    [
      'an update of other sizes',
      COUNTER.replace('count: int64[1] = 41', 'count: int64[2] = 41 41')
        .replace('y: int64[1]', 'y: int64[2]')
        .replace('<- next', '<- one'),
      "State 'count' is int64[2]; the value 'one' that it takes is int64[1].",
    ],
    [
      'an update of another type',
      COUNTER.replace('count: int64[1] = 41 <- next', 'count: float32[1] <- one').replace(
        'Add(count',
        'Add(one',
      ),
      "State 'count' is float32[1]; the value 'one' that it takes is int64[1].",
    ],
  ])('%s', async (_, text, message) => {
    await expect(engineOf(text)).rejects.toThrow(message)
  })
})
