/** Runs of one session that are under way at once: option `executions`. */
import { describe, expect, test } from 'vitest'
import { compileModel } from '../../lib/compile/model.js'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { readModel } from '../../lib/onnx/read.js'
import { slowModel } from '../lifecycle/child.js'

const SIZE = 384
const rows = (n: number, value = 1) => ({
  x: new Tensor('float32', new Float32Array(n * SIZE).fill(value), [n, SIZE]),
})
const dataOf = (result: Record<string, Tensor>) => result.y?.data as Float32Array

async function engineOf(options: { readonly executions?: number; readonly threads?: number }) {
  return compileModel(await readModel(slowModel()), options)
}

const feeds = (n: number, value = 1) => ({
  x: {
    dtype: 'float32',
    dims: [n, SIZE],
    data: new Uint8Array(new Float32Array(n * SIZE).fill(value).buffer),
  } as const,
})

describe('a session', () => {
  test.each([1, 2, 5])(
    'with %d executions gives 40 runs of many sizes each its own result',
    async (executions) => {
      const session = await InferenceSession.create(slowModel(), { executions, intraOpNumThreads: 2 })
      const cases = Array.from({ length: 8 }, (_, i) => rows(1 + (i % 4) * 3, 1 + i))
      const alone: Float32Array[] = []
      for (const feed of cases) alone.push(dataOf(await session.run(feed)).slice())
      const all = await Promise.all(
        Array.from({ length: 40 }, (_, i) => session.run(cases[i % 8] as (typeof cases)[0])),
      )
      all.forEach((result, i) => {
        expect(dataOf(result)).toEqual(alone[i % 8])
      })
      await session.release()
    },
  )

  test('runs synchronously while others are under way', async () => {
    for (const executions of [1, 3]) {
      const session = await InferenceSession.create(slowModel(), { executions })
      const expected = dataOf(await session.run(rows(2)))
      const others = [session.run(rows(300)), session.run(rows(200)), session.run(rows(100))]
      expect(dataOf(session.runSync(rows(2)))).toEqual(expected)
      expect((await Promise.all(others)).map((r) => r.y?.dims[0])).toEqual([300, 200, 100])
      await session.release()
    }
  })

  test('lets a run be aborted without touching those beside it', async () => {
    const session = await InferenceSession.create(slowModel(), { executions: 3 })
    const expected = dataOf(await session.run(rows(40)))
    const stop = new AbortController()
    const runs = [
      session.run(rows(20_000), { signal: stop.signal }),
      session.run(rows(40)),
      session.run(rows(40)),
    ]
    const queued = session.run(rows(20_000), { signal: stop.signal })
    stop.abort()
    await Promise.all([
      expect(runs[0]).rejects.toMatchObject({ name: 'AbortError' }),
      expect(queued).rejects.toMatchObject({ name: 'AbortError' }),
    ])
    expect(dataOf(await (runs[1] as Promise<Record<string, Tensor>>))).toEqual(expected)
    expect(dataOf(await (runs[2] as Promise<Record<string, Tensor>>))).toEqual(expected)
    await session.release()
  })

  test('released while runs wait finishes all of them', async () => {
    const session = await InferenceSession.create(slowModel(), { executions: 2 })
    const runs = Array.from({ length: 9 }, (_, i) => session.run(rows(10 + i)))
    await session.release()
    expect((await Promise.all(runs)).map((r) => r.y?.dims[0])).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18])
  })

  test.each([
    [0, /'executions' should be an integer in \[1, 256\], got 0/],
    [1.5, /'executions' should be an integer/],
    ['2', /'executions' should be a number/],
  ])('refuses %j executions', async (executions, message) => {
    const options = { executions: executions as number }
    await expect(InferenceSession.create(slowModel(), options)).rejects.toThrow(message)
  })
})

describe('executions', () => {
  test('are made when runs want them, each with an arena; weights are in memory once', async () => {
    const engine = await engineOf({ executions: 3, threads: 1 })
    for (let i = 0; i < 3; i++) await engine.run(feeds(64))
    const one = engine.memory()
    expect(one.executions).toBe(1)
    await Promise.all(Array.from({ length: 12 }, () => engine.run(feeds(64))))
    const many = engine.memory()
    expect(many.executions).toBe(3)
    expect(many.arena).toBe(3 * one.arena)
    expect(many.constants).toBe(one.constants)
    engine.release()
  })

  test('are not made for runs that follow each other, on whatever thread', async () => {
    const engine = await engineOf({})
    for (let i = 0; i < 20; i++) {
      await engine.run(feeds(1))
      engine.runSync(feeds(2))
    }
    expect(engine.memory().executions).toBe(1)
    engine.release()
  })

  test('start in the order of the calls', async () => {
    const engine = await engineOf({ executions: 1 })
    const ended: number[] = []
    const runs = [90, 5, 40, 1, 20].map(async (n, i) => {
      await engine.run(feeds(n))
      ended.push(i)
    })
    await Promise.all(runs)
    expect(ended).toEqual([0, 1, 2, 3, 4])
    engine.release()
  })
})
