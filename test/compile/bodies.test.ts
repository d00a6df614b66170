/** Values inside of branches and loops are observed: in every run, in every iteration. */
import { describe, expect, it } from 'vitest'
import { compileGraph, type EngineTensor } from '../../lib/compile/run/engine.js'
import type { Graph } from '../../lib/graph/graph.js'
import type { Observation } from '../../lib/statistics/observation.js'
import { parseGraph } from '../helpers/graph-text.js'

const floats = (...x: number[]): EngineTensor => ({
  dtype: 'float32',
  dims: [x.length],
  data: new Uint8Array(Float32Array.from(x).buffer),
})
const flag = (on: boolean): EngineTensor => ({ dtype: 'bool', dims: [], data: Uint8Array.of(on ? 1 : 0) })
const count = (n: number): EngineTensor => ({
  dtype: 'int64',
  dims: [],
  data: new Uint8Array(BigInt64Array.of(BigInt(n)).buffer),
})

const BRANCHES = parseGraph(`
  graph g (x: float32[2], c: bool[]) -> (y: ?)
    r = Relu(x)
    y = If(c) captures (r)
      else_branch () -> (e: ?) captures (r)
        n = Neg(r)
        e = Exp(n)
      then_branch () -> (t: ?) captures (r)
        t = Sqrt(r)
`)

const moments = (value: string): Observation => ({ kind: 'moments', value })

async function observing(graph: Graph, ...observe: Observation[]) {
  const engine = await compileGraph(graph, { observe })
  return { engine, seen: (o: Observation) => engine.readStatistic(o) }
}

it('a value that nothing reads is computed where it is observed', async () => {
  const n = moments('n')
  const graph = parseGraph(`
    graph g (x: float32[2]) -> (y: ?)
      y = Relu(x)
      n = Neg(x)
  `)
  const { engine, seen } = await observing(graph, n)
  await engine.run({ x: floats(1, 4) })
  expect(seen(n)).toMatchObject({ count: 2, min: -4, max: -1 })
  engine.release()
})

describe('a branch', () => {
  it('is observed when it runs, and what it captures once', async () => {
    const [r, n, t] = ['r', 'n', 't'].map(moments) as [Observation, Observation, Observation]
    const { engine, seen } = await observing(BRANCHES, r, n, t)
    await engine.run({ x: floats(1, 4), c: flag(false) })
    await engine.run({ x: floats(9, 16), c: flag(true) })
    await engine.run({ x: floats(-3, 2), c: flag(false) })
    expect(seen(r)).toMatchObject({ count: 6, min: 0, max: 16 })
    expect(seen(n)).toMatchObject({ count: 4, min: -4, max: 0 })
    expect(seen(t)).toMatchObject({ count: 2, min: 3, max: 4 })
    engine.release()
  })

  it('that no run took has seen nothing', async () => {
    const t = moments('t')
    const { engine, seen } = await observing(BRANCHES, t)
    await engine.run({ x: floats(1, 4), c: flag(false) })
    expect(seen(t)).toMatchObject({ count: 0 })
    engine.release()
  })
})

describe('a loop', () => {
  const graph = parseGraph(`
    graph g (x: float32[2], m: int64[]) -> (y: ?)
      two: float32[] = 2
      y = Loop(m, _, x) captures (two)
        body (i: int64[], on: bool[], v: float32[2]) -> (on: bool[], w: ?) captures (two)
          w = Mul(v, two)
  `)

  it('adds over all its iterations', async () => {
    const [v, w] = ['v', 'w'].map(moments) as [Observation, Observation]
    const sums: Observation = { kind: 'channelSums', value: 'w', channelAxis: 0 }
    const { engine, seen } = await observing(graph, v, w, sums)
    await engine.run({ x: floats(1, -1), m: count(4) })
    await engine.run({ x: floats(3, 0), m: count(1) })
    expect(seen(v)).toMatchObject({ count: 10, min: -8, max: 8 })
    expect(seen(w)).toMatchObject({ count: 10, min: -16, max: 16 })
    expect([...(engine.readStatistic(sums as never) as unknown as { sums: Float64Array }).sums]).toEqual([
      36, -30,
    ])
    engine.release()
  })
})
