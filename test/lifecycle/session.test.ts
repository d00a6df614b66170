/** One session under many runs, aborts and releases; and the event loop, which nothing may hold. */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compare, InferenceSession, quantize, Tensor } from '../../lib/index.js'
import { node } from '../helpers/model.js'
import { bytesOf, constant, feed } from '../malformed/attempt.js'
import { slowModel } from './child.js'

const SIZE = 384
const rows = (n: number, value = 1) => ({
  x: new Tensor('float32', new Float32Array(n * SIZE).fill(value), [n, SIZE]),
})
const dataOf = (result: Record<string, Tensor>) => result.y?.data as Float32Array

let session: InferenceSession
beforeAll(async () => {
  session = await InferenceSession.create(slowModel(), { intraOpNumThreads: 2 })
})
afterAll(() => session.release())

describe('a session', () => {
  test('gives 64 concurrent runs each its own result', async () => {
    const alone = await Promise.all([1, 2, 3, 4].map(async (v) => dataOf(await session.run(rows(2, v)))))
    const all = await Promise.all(Array.from({ length: 64 }, (_, i) => session.run(rows(2, 1 + (i % 4)))))
    all.forEach((result, i) => {
      expect(dataOf(result)).toEqual(alone[i % 4])
    })
  })

  test('takes the feeds as they were when run was called', async () => {
    const feeds = rows(3, 2)
    const expected = dataOf(await session.run(rows(3, 2)))
    const run = session.run(feeds)
    feeds.x.data.fill(9)
    expect(dataOf(await run)).toEqual(expected)
    const moved = rows(3, 2)
    const other = session.run(moved)
    structuredClone(moved.x.data.buffer, { transfer: [moved.x.data.buffer as ArrayBuffer] })
    expect(dataOf(await other)).toEqual(expected)
  })

  test('aborts a run before, during and while it is queued', async () => {
    await expect(session.run(rows(1), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
    const first = new AbortController()
    const second = new AbortController()
    const long = session.run(rows(20_000), { signal: first.signal })
    const queued = session.run(rows(20_000), { signal: second.signal })
    const last = session.run(rows(1))
    second.abort(new Error('not needed any more'))
    setTimeout(() => first.abort(), 10)
    await Promise.all([
      expect(long).rejects.toMatchObject({ name: 'AbortError' }),
      expect(queued).rejects.toThrow('not needed any more'),
    ])
    expect(dataOf(await last)).toEqual(dataOf(await session.run(rows(1))))
  })

  test('released during runs finishes them, and takes no more', async () => {
    const other = await InferenceSession.create(slowModel())
    const runs = [other.run(rows(500)), other.run(rows(5)), other.run(rows(50))]
    await other.release()
    await expect(other.run(rows(1))).rejects.toMatchObject({ code: 'ERR_SESSION_DISPOSED' })
    expect((await Promise.all(runs)).map((r) => r.y?.dims[0])).toEqual([500, 5, 50])
  })

  test('keeps its memory over many runs', async () => {
    const small = await InferenceSession.create(
      bytesOf({ nodes: [node('Relu', ['x'], ['y'])], feeds: { x: feed('float32', [64], []) } }),
    )
    const feeds = { x: new Tensor('float32', new Float32Array(64), [64]) }
    const many = async () => {
      for (let i = 0; i < 5000; i++) await small.run(feeds)
      return process.memoryUsage().rss
    }
    const before = await many()
    expect((await many()) - before).toBeLessThan(30e6)
    await small.release()
  })
})

const WIDTH = 2896

/** Three products with matrices of 33 MB each, nothing of which may be done on the main thread in one go. */
function largeModel(): Uint8Array {
  const matrix = new Float32Array(WIDTH * WIDTH)
  for (let i = 0; i < matrix.length; i++) matrix[i] = ((i * 7919) % 257) / 65536
  const raw = new Uint8Array(matrix.buffer)
  const weights = ['a', 'b', 'c'].map((name) => ({
    ...constant(name, 'float32', [WIDTH, WIDTH], []),
    rawData: raw,
  }))
  return bytesOf({
    nodes: [
      node('MatMul', ['x', 'a'], ['p']),
      node('Relu', ['p'], ['q']),
      node('MatMul', ['q', 'b'], ['r']),
      node('Relu', ['r'], ['s']),
      node('MatMul', ['s', 'c'], ['y']),
    ],
    feeds: { x: feed('float32', [1, WIDTH], []) },
    initializers: weights,
  })
}

/** Nanoseconds of processor time that the main thread has used: what other processes take does not count (Linux). */
const clock = `/proc/self/task/${process.pid}/schedstat`
const used = () => Number(readFileSync(clock, 'utf8').split(' ', 1)[0])

/** Processor time of one plain pass over one of the matrices, in ns. */
function onePass(matrix: Float32Array): number {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 5; attempt++) {
    const start = used()
    let [low, high] = [0, 0]
    for (let i = 0; i < matrix.length; i++) {
      const value = matrix[i] as number
      if (value < low) low = value
      if (value > high) high = value
    }
    expect(high).toBeGreaterThan(low)
    least = Math.min(least, used() - start)
  }
  return least
}

/** The longest turn of the event loop meanwhile, in ns of processor time. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let [longest, last, isOver] = [0, used(), false]
  const turn = () => {
    const now = used()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  await new Promise((resolve) => setImmediate(resolve))
  isOver = true
  return longest
}

describe.skipIf(!existsSync(clock))('no turn of the event loop of a process with a model of 100 MB', () => {
  const bytes = largeModel()
  const sample = { x: new Tensor('float32', new Float32Array(WIDTH).fill(0.5), [1, WIDTH]) }
  let int8: Uint8Array
  let passes: (work: () => Promise<unknown>) => Promise<number>
  beforeAll(() => {
    const pass = onePass(Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => i % 7))
    passes = async (work) => (await longestTurn(work)) / pass
  })

  // Each does several passes over each of three matrices, and most of them cost more than this one.
  test('takes as long as a few passes over one weight: create and run', async () => {
    const create = async () => {
      const large = await InferenceSession.create(bytes)
      await large.run(sample)
      await large.release()
    }
    expect(await passes(create)).toBeLessThan(5)
  })

  test('takes as long as a few passes over one weight: quantize', async () => {
    const work = async () => {
      int8 = (await quantize(bytes, { data: [sample] })).model
    }
    expect(await passes(work)).toBeLessThan(5)
  })

  test('takes as long as a few passes over one weight: compare', async () => {
    expect(await passes(() => compare(bytes, int8, { data: [sample] }))).toBeLessThan(5)
  })
})
