/** The past of a language model in the session: the same logits as with a past that is fed, and what may be done with it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generate, InferenceSession, type SessionOptions, Tensor } from '../../lib/index.js'
import { script } from '../bench/module.js'

const { decoder } = await script<{
  decoder(shape: object, weights: object, options: object): Uint8Array
}>('models/language/decoder.mjs')
const { TINY } = await script<{ TINY: object }>('models/language/shapes.mjs')
const { seededWeights } = await script<{ seededWeights(seed: number): object }>('models/language/weights.mjs')

const build = (options: object, seed = 7) => decoder(TINY, seededWeights(seed), options)
const FORMS: [string, object][] = [
  ['spelled out', { form: 'fp32', attention: 'spelled' }],
  ['GroupQueryAttention', { form: 'fp32', attention: 'group-query' }],
]

const tokens = (...ids: number[]) => new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length])
const opened: InferenceSession[] = []
async function open(model: Uint8Array, options: SessionOptions = {}) {
  const session = await InferenceSession.create(model, options)
  opened.push(session)
  return session
}
const inState = (model: Uint8Array, options: SessionOptions = {}) =>
  open(model, { past: 'state', pastLimit: 64, ...options })

/** Logits of all tokens of a sequence, with nothing before it. */
async function whole(session: InferenceSession, ids: number[]): Promise<Float32Array> {
  const n = ids.length
  const feeds: Record<string, Tensor> = {
    input_ids: tokens(...ids),
    attention_mask: new Tensor('int64', new BigInt64Array(n).fill(1n), [1, n]),
    position_ids: tokens(...ids.keys()),
  }
  for (const name of session.inputNames) {
    if (name.startsWith('past')) feeds[name] = new Tensor('float32', new Float32Array(0), [1, 2, 0, 16])
  }
  return (await session.run(feeds)).logits?.data as Float32Array
}

const logitsOf = async (session: InferenceSession, ...ids: number[]) =>
  (await session.run({ input_ids: tokens(...ids) })).logits?.data as Float32Array

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length).toBe(expected.length)
  const largest = Math.max(...Array.from(expected, Math.abs))
  for (let i = 0; i < got.length; ++i)
    expect(Math.abs((got[i] as number) - (expected[i] as number))).toBeLessThanOrEqual(1e-5 * largest)
}

afterAll(() => Promise.all(opened.map((session) => session.release())))

describe.each(FORMS)('a past in the session: %s', (_, form) => {
  const SEQUENCE = [1, 5, 9, 20, 33, 2, 250, 299]
  let expected: Float32Array
  let session: InferenceSession
  beforeAll(async () => {
    const model = build(form)
    expected = await whole(await open(model), SEQUENCE)
    session = await inState(model)
  })

  test('has neither inputs nor outputs of it, and says how long it is', () => {
    expect(session.inputNames.filter((name) => /past/.test(name))).toEqual([])
    expect(session.outputNames).toEqual(['logits'])
    expect([session.pastLength, session.pastBytes]).toEqual([0, 0])
  })

  test('is appended to by each run, prompt and single tokens', async () => {
    const logits = [...(await logitsOf(session, 1, 5, 9)), ...(await logitsOf(session, 20))]
    expect(session.pastLength).toBe(4)
    expect(session.pastBytes).toBe(4 * 2 * 2 * 2 * 16 * 4)
    logits.push(...(await logitsOf(session, 33, 2)))
    for (const id of [250, 299]) {
      const results = session.runSync({ input_ids: tokens(id) })
      logits.push(...((results.logits as Tensor).data as Float32Array))
    }
    expectClose(logits, expected)
  })

  test('is forgotten, all or the end of it', async () => {
    session.reset(3)
    expectClose(await logitsOf(session, 20, 33), expected.subarray(3 * 300, 5 * 300))
    session.reset()
    expectClose(await logitsOf(session, ...SEQUENCE), expected)
  })

  test('goes its own way in a fork', async () => {
    session.reset(2)
    const other = session.fork()
    opened.push(other)
    const changed = await logitsOf(session, 77, 9)
    expect(other.pastLength).toBe(2)
    expectClose(await logitsOf(other, 9), expected.subarray(2 * 300, 3 * 300))
    session.reset(2)
    expect(await logitsOf(session, 77, 9)).toEqual(changed)
  })
})

describe('sessions with a past', () => {
  test('generate as those that hand it on, and go on from there', async () => {
    const model = build({ form: 'fp32', attention: 'spelled' })
    const [fed, kept] = [await open(model), await inState(model)]
    const all = async (session: InferenceSession, prompt: number[], maxTokens: number) => {
      const steps: number[] = []
      for await (const { token } of generate(session, prompt, { maxTokens })) steps.push(token)
      return steps
    }
    const expected = await all(fed, [1, 5, 9], 12)
    const first = await all(kept, [1, 5, 9], 5)
    expect(first).toEqual(expected.slice(0, 5))
    expect(kept.pastLength).toBe(7)
    expect(await all(kept, [first.at(-1) as number], 7)).toEqual(expected.slice(5))
  })

  test('give the logits of the last token alone where that is asked for', async () => {
    const model = build({ form: 'q4', table: 'fp32', attention: 'group-query', level: 0 })
    const [all, last] = [await inState(model), await inState(model, { logits: 'last' })]
    for (const ids of [[1, 5, 9], [20], [33, 2]]) {
      const expected = (await logitsOf(all, ...ids)).slice(-300)
      const { logits } = await last.run({ input_ids: tokens(...ids) })
      expect(logits?.dims).toEqual([1, 1, 300])
      expectClose(logits?.data as Float32Array, expected)
    }
  })

  test('have room for so many positions', async () => {
    const session = await inState(build({ form: 'fp32', attention: 'spelled' }), { pastLimit: 4 })
    await logitsOf(session, 1, 2, 3)
    await expect(logitsOf(session, 4, 5)).rejects.toMatchObject({
      code: 'ERR_LIMIT',
      message: expect.stringContaining('expected at most 1 tokens, got 2'),
    })
    expect(session.pastLength).toBe(3)
    await logitsOf(session, 4)
  })

  test('run one at a time', async () => {
    const session = await inState(build({ form: 'fp32', attention: 'spelled' }))
    const first = logitsOf(session, 1, 2, 3)
    await expect(logitsOf(session, 4)).rejects.toMatchObject({ code: 'ERR_RUN' })
    expect(() => session.reset()).toThrow('under way')
    await first
    expect(session.pastLength).toBe(3)
  })

  test('take one sequence, and a past that there is', async () => {
    const session = await inState(build({ form: 'fp32', attention: 'spelled' }))
    const two = new Tensor('int64', new BigInt64Array(4), [2, 2])
    await expect(session.run({ input_ids: two })).rejects.toMatchObject({ code: 'ERR_SHAPE_MISMATCH' })
    await expect(session.run({})).rejects.toMatchObject({ code: 'ERR_MISSING_INPUT' })
    expect(() => session.reset(1)).toThrow(RangeError)
    const stateless = await open(build({ form: 'fp32', attention: 'spelled' }))
    expect([stateless.pastLength, stateless.pastBytes]).toEqual([undefined, undefined])
    expect(() => stateless.reset()).toThrow(TypeError)
    expect(() => stateless.fork()).toThrow(TypeError)
  })

  test.each([
    [{ past: 'no' }, 'ERR_INVALID_ARG_TYPE'],
    [{ past: 'state', pastType: 'int4' }, 'ERR_INVALID_ARG_TYPE'],
    [{ pastType: 'int8' }, 'ERR_INVALID_ARG_TYPE'],
    [{ past: 'state', pastLimit: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ pastLimit: 8 }, 'ERR_INVALID_ARG_TYPE'],
    [{ logits: 'last' }, 'ERR_INVALID_ARG_TYPE'],
    [{ past: 'state', logits: 'first' }, 'ERR_INVALID_ARG_TYPE'],
  ])('options %o are refused', async (options, code) => {
    const create = InferenceSession.create(
      build({ form: 'fp32', attention: 'spelled' }),
      options as SessionOptions,
    )
    await expect(create).rejects.toMatchObject({ code })
  })
})

describe('a past of int8', () => {
  const SEQUENCE = [1, 5, 9, 20, 33, 2, 250, 299]

  test('gives nearly the logits of one of float32, in a third of the memory', async () => {
    const model = build({ form: 'fp32', attention: 'group-query' })
    const expected = await whole(await open(model), SEQUENCE)
    const session = await inState(model, { pastType: 'int8' })
    const logits = [...(await logitsOf(session, 1, 5, 9)), ...(await logitsOf(session, 20))]
    for (const id of [33, 2, 250, 299]) logits.push(...(await logitsOf(session, id)))
    // Of each of 2 layers, keys and values: 2 heads of 16 bytes and a scale.
    expect(session.pastBytes).toBe(8 * 2 * 2 * 2 * (16 + 4))
    const largest = Math.max(...Array.from(expected, Math.abs))
    const off = logits.map((v, i) => Math.abs(v - (expected[i] as number)) / largest)
    expect(Math.max(...off)).toBeLessThan(0.02)
    expect(Math.max(...off)).toBeGreaterThan(0)
    session.reset(4)
    expect(await logitsOf(session, 33)).toEqual(Float32Array.from(logits.slice(4 * 300, 5 * 300)))
  })

  test('is refused where another operator reads it', async () => {
    const model = build({ form: 'fp32', attention: 'spelled' })
    await expect(inState(model, { pastType: 'int8' })).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_OP' })
    await expect(inState(model, { pastType: 'int8' })).rejects.toThrow(/GroupQueryAttention/)
  })
})
