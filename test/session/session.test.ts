/** What InferenceSession has beyond onnxruntime: runSync, signals, disposal, explanations, profiles; and its limits. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { env, InferenceSession, Tensor } from '../../lib/index.js'
import { modelBytes, node, value } from '../helpers/model.js'
import { a, arithmetic, b, identity, sum, symbolic } from '../parity/case.js'

const feeds = () => ({ a: new Tensor('float32', a, [2, 3]), b: new Tensor('float32', b, [2, 3]) })
const numbers = (tensor: Tensor | undefined) => Array.from(tensor?.data as Float32Array)

const folder = mkdtempSync(join(tmpdir(), 'octavo-session-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('one session', () => {
  let session: InferenceSession
  beforeAll(async () => {
    session = await InferenceSession.create(arithmetic)
  })

  test('runSync gives what run gives', async () => {
    expect(session.runSync(feeds())).toEqual(await session.run(feeds()))
    expect(numbers(session.runSync(feeds(), ['sum']).sum)).toEqual(sum)
    expect(() => session.runSync({ a: feeds().a } as never)).toThrow("input 'b' is missing in 'feeds'.")
  })

  test('runSync writes into a tensor of the caller', () => {
    const target = new Tensor('float32', new Float32Array(6), [2, 3])
    expect(session.runSync(feeds(), { sum: target }).sum).toBe(target)
    expect(numbers(target)).toEqual(sum)
  })

  test('a target of other sizes is an error', async () => {
    const target = new Tensor('float32', new Float32Array(6), [3, 2])
    await expect(session.run(feeds(), { sum: target })).rejects.toMatchObject({ code: 'ERR_SHAPE_MISMATCH' })
  })

  test('runs of microseconds, one after the other, leave turns to the event loop', async () => {
    let turns = 0
    let counting = true
    const turn = () => {
      ++turns
      if (counting) setImmediate(turn)
    }
    setImmediate(turn)
    for (let i = 0; i < 200; ++i) expect(numbers((await session.run(feeds(), ['sum'])).sum)).toEqual(sum)
    counting = false
    expect(turns).toBeGreaterThan(150)
    const all = await Promise.all(Array.from({ length: 20 }, () => session.run(feeds(), ['sum'])))
    for (const result of all) expect(numbers(result.sum)).toEqual(sum)
  })

  test('feeds are copied when run is called', async () => {
    const data = Float32Array.from(a)
    const running = session.run({ ...feeds(), a: new Tensor('float32', data, [2, 3]) }, ['sum'])
    data.fill(1000)
    expect(numbers((await running).sum)).toEqual(sum)
  })

  test('feeds are any objects with type, data and dims', async () => {
    const plain = { type: 'float32', data: a, dims: [2, 3] }
    expect(numbers((await session.run({ a: plain, b: feeds().b }, ['sum'])).sum)).toEqual(sum)
  })

  test.each([
    ['dims that are no sizes', { type: 'float32', data: a, dims: [-2, -3] }],
    ['fractional dims', { type: 'float32', data: a, dims: [1.5, 4] }],
    ['fewer data than dims', { type: 'float32', data: a.subarray(1), dims: [2, 3] }],
    ['an array of numbers', { type: 'float32', data: [...a], dims: [2, 3] }],
    ['no dims', { type: 'float32', data: a }],
    ['no object', 5],
    ['null', null],
  ])('a feed with %s is an error with a code', async (_, wrong) => {
    await expect(session.run({ ...feeds(), a: wrong as never })).rejects.toHaveProperty('code')
  })

  test('a disposed tensor is an error as a feed', async () => {
    const disposed = feeds().a
    disposed.dispose()
    await expect(session.run({ ...feeds(), a: disposed })).rejects.toThrow('The tensor is disposed.')
  })

  test('signals: before a run, and wrong ones', async () => {
    const reason = new Error('enough')
    await expect(session.run(feeds(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(session.run(feeds(), { signal: 'now' as never })).rejects.toThrow(
      "'signal' should be an AbortSignal.",
    )
  })

  test('terminate ends a run before its first step', async () => {
    await expect(session.run(feeds(), { terminate: true })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })

  test('explains and times its steps', async () => {
    expect(session.explain().map((e) => e.kind)).toEqual(['float', 'float'])
    expect(session.kernels).toHaveLength(session.explain().length)
    session.startProfiling()
    await session.run(feeds())
    session.endProfiling()
    const profile = session.profile()
    expect(profile.length).toBeGreaterThan(0)
    for (const { op, microseconds } of profile) {
      expect(op).not.toBe('')
      expect(microseconds).toBeGreaterThanOrEqual(0)
    }
  })
})

test('await using releases; a second release does nothing; a released session is an error', async () => {
  let kept: InferenceSession
  {
    await using session = await InferenceSession.create(arithmetic)
    kept = session
  }
  await kept.release()
  expect(() => kept.runSync(feeds())).toThrow('Session already disposed.')
  expect(() => kept.explain()).toThrow('Session already disposed.')
  expect(kept.inputNames).toEqual(['a', 'b'])
})

test('release lets runs in flight finish', async () => {
  const session = await InferenceSession.create(arithmetic)
  const running = Array.from({ length: 4 }, () => session.run(feeds(), ['sum']))
  await session.release()
  for (const results of await Promise.all(running)) expect(numbers(results.sum)).toEqual(sum)
})

test('create is cancelled by its signal', async () => {
  const reason = new Error('changed my mind')
  await expect(InferenceSession.create(arithmetic, { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  )
})

test('a folder is no model', async () => {
  await expect(InferenceSession.create(folder)).rejects.toMatchObject({ code: 'ERR_IO' })
})

test('overrides show in the metadata', async () => {
  await using session = await InferenceSession.create(symbolic, { freeDimensionOverrides: { batch: 5 } })
  expect(session.inputMetadata[0]?.shape).toEqual([5, 3])
  expect(session.outputMetadata[0]?.shape).toEqual([5, 3])
  const x = new Tensor('float32', new Float32Array(6), [2, 3])
  await expect(session.run({ x })).rejects.toMatchObject({ code: 'ERR_SHAPE_MISMATCH' })
})

test('optimizedModelFilePath is a model that computes the same', async () => {
  const path = join(folder, 'optimized.onnx')
  await using first = await InferenceSession.create(arithmetic, { optimizedModelFilePath: path })
  await using second = await InferenceSession.create(new Uint8Array(readFileSync(path)))
  expect(await second.run(feeds())).toEqual(await first.run(feeds()))
})

test('unknown providers are dropped with a warning', async () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  await using session = await InferenceSession.create(arithmetic, { executionProviders: ['cuda', 'cpu'] })
  const lines = write.mock.calls.map(([line]) => String(line))
  write.mockRestore()
  expect(lines.join('')).toContain("execution provider 'cuda' is not available")
  expect(numbers(session.runSync(feeds()).sum)).toEqual(sum)
})

describe('element types', () => {
  test('float16 goes through as its bits', async () => {
    await using session = await InferenceSession.create(identity(10))
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff)
    const { y } = await session.run({ x: new Tensor('float16', bits, [3]) })
    const data = y?.data as Uint16Array
    expect(y?.type).toBe('float16')
    expect(new Uint16Array(data.buffer, data.byteOffset, 3)).toEqual(bits)
  })

  test('text is refused with a word why', async () => {
    const text = modelBytes({
      name: 'text',
      input: [value('x', [1], 8)],
      output: [value('y', [1], 8)],
      node: [node('Identity', ['x'], ['y'])],
    })
    await expect(InferenceSession.create(text)).rejects.toThrow(/tensors of text are not supported/)
  })
})

describe('Tensor', () => {
  test('Symbol.dispose', () => {
    let kept: Tensor
    {
      using tensor = new Tensor('int32', [1, 2])
      kept = tensor
    }
    expect(kept.location).toBe('none')
  })

  test('a 0-d tensor has one element', () => {
    expect(new Tensor('float32', [1], []).size).toBe(1)
  })

  test('what other devices need is refused by name', () => {
    expect(() => new Tensor('int32', [1]).gpuBuffer).toThrow(/gpuBuffer is not supported on this runtime/)
    expect(() => Tensor.fromTexture()).toThrow(/fromTexture is not supported on this runtime/)
  })

  test('errors have codes', () => {
    expect(() => new Tensor('float32', [1], [2])).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE_MISMATCH' }),
    )
    expect(() => new Tensor('float32', [1], [-1])).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
    )
    expect(() => new Tensor('nope' as never, [1])).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })
})

test('env names its instruction set and versions', () => {
  expect(env.isa).not.toBe('')
  expect(env.versions.octavo).toMatch(/^\d+\.\d+\.\d+/)
})

test('octavo/register is found by libraries that look for a runtime', async () => {
  const key = Symbol.for('onnxruntime')
  await import('../../lib/register.js')
  const found = (globalThis as Record<symbol, unknown>)[key] as { InferenceSession: unknown }
  expect(found.InferenceSession).toBe(InferenceSession)
  delete (globalThis as Record<symbol, unknown>)[key]
})

test('external data as bytes, a Blob, and a path', async () => {
  const bytes = new Uint8Array(Float32Array.of(10, 20, 30).buffer)
  const model = modelBytes({
    name: 'external',
    input: [value('x', [3])],
    output: [value('y', [3])],
    node: [node('Add', ['x', 'w'], ['y'])],
    initializer: [
      {
        name: 'w',
        dataType: 1,
        dims: [3n],
        dataLocation: 1,
        externalData: [{ key: 'location', value: 'w.bin' }],
      },
    ],
  })
  const path = join(folder, 'elsewhere.bin')
  writeFileSync(path, bytes)
  const x = new Tensor('float32', [1, 2, 3])
  for (const data of [bytes, bytes.buffer, new Blob([bytes]), path]) {
    await using session = await InferenceSession.create(model, { externalData: [{ path: 'w.bin', data }] })
    expect(numbers((await session.run({ x })).y)).toEqual([11, 22, 33])
  }
  await expect(InferenceSession.create(model)).rejects.toMatchObject({ code: 'ERR_EXTERNAL_DATA' })
})
