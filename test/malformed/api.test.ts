/** The API used wrongly: TypeErrors, RangeErrors and OctavoErrors with a code, and a session that still works after. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  compare,
  explain,
  InferenceSession,
  inspect,
  quantize,
  type SessionOptions,
  Tensor,
} from '../../lib/index.js'
import { node } from '../helpers/model.js'
import { bytesOf, feed } from './attempt.js'

const bytes = bytesOf({
  nodes: [node('Relu', ['x'], ['y'], [], 'act')],
  feeds: { x: feed('float32', [2], [0, 0]) },
})
const folder = mkdtempSync(join(tmpdir(), 'octavo-api-'))
let session: InferenceSession

beforeAll(async () => {
  session = await InferenceSession.create(bytes)
})

afterAll(async () => {
  const { y } = await session.run({ x: new Tensor('float32', [-1, 1], [2]) })
  expect(y).toBeInstanceOf(Tensor)
  expect([...((y as Tensor).data as Float32Array)]).toEqual([0, 1])
  await session.release()
  rmSync(folder, { recursive: true })
})

const any = <T>(value: unknown) => value as T
const good = () => new Tensor('float32', [1, 2], [2])
const ARGUMENT = /^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE)$/

async function rejection(work: () => unknown): Promise<Error & { code?: string }> {
  try {
    await work()
  } catch (error) {
    return error as Error & { code?: string }
  }
  throw new Error('expected an error')
}

describe('create', () => {
  const sources: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an array', [1, 2]],
    ['a function', () => 5],
    ['a Float32Array', new Float32Array(4)],
  ]
  test.each(sources)('from %s', async (_what, source) => {
    const error = await rejection(() => InferenceSession.create(any(source)))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.code).toMatch(ARGUMENT)
  })

  const options: readonly (readonly [string, unknown, RegExp])[] = [
    ['null', null, /options/],
    ['a number of threads that is a string', { intraOpNumThreads: 'two' }, /intraOpNumThreads/],
    ['a negative number of threads', { intraOpNumThreads: -1 }, /intraOpNumThreads/],
    ['half a thread', { intraOpNumThreads: 0.5 }, /intraOpNumThreads/],
    ['NaN threads', { intraOpNumThreads: Number.NaN }, /intraOpNumThreads/],
    ['a limit of 0 bytes', { maxTensorBytes: 0 }, /maxTensorBytes/],
    ['a limit that is infinite', { maxLoopIterations: Number.POSITIVE_INFINITY }, /maxLoopIterations/],
    ['an unknown level', { graphOptimizationLevel: 'most' }, /graphOptimizationLevel/],
    ['a negative size', { freeDimensionOverrides: { n: -1 } }, /freeDimensionOverrides/],
    ['providers that are a string', { executionProviders: 'cpu' }, /executionProviders/],
    ['a signal that is none', { signal: {} }, /signal/],
    ['external data that is a string', { externalData: 'w.bin' }, /externalData/],
  ]
  test.each(options)('with %s', async (_what, value, message) => {
    const error = await rejection(() => InferenceSession.create(bytes, any<SessionOptions>(value)))
    expect(error.message).toMatch(message)
    expect(error.code).toMatch(ARGUMENT)
  })

  test('from part of a buffer that is not there', async () => {
    const { buffer } = bytes.slice()
    for (const [offset, length] of [[-1], [1e9], [0.5], [0, 1e9], [0, -1]] as const) {
      const error = await rejection(() => InferenceSession.create(buffer, offset, length))
      expect(error.code).toMatch(ARGUMENT)
    }
  })

  test('from a buffer that is detached', async () => {
    const copy = bytes.slice()
    structuredClone(copy.buffer, { transfer: [copy.buffer] })
    expect((await rejection(() => InferenceSession.create(copy))).code).toBe('ERR_MODEL_PARSE')
  })

  test('from a buffer that is cleared at once: what it had when the call was made counts, or an error', async () => {
    const copy = bytes.slice()
    const creation = InferenceSession.create(copy)
    copy.fill(0)
    const result = await creation.catch((error: unknown) => error)
    if (result instanceof InferenceSession) await result.release()
    else expect(result).toMatchObject({ code: expect.stringMatching(/^ERR_MODEL/) })
  })

  test('from shared memory', async () => {
    const shared = new SharedArrayBuffer(bytes.length)
    new Uint8Array(shared).set(bytes)
    const opened = await InferenceSession.create(shared)
    expect(opened.inputNames).toEqual(['x'])
    await opened.release()
  })

  const paths: readonly (readonly [string, () => string, RegExp])[] = [
    ['that does not exist', () => join(folder, 'none.onnx'), /doesn't exist/],
    ['of a folder', () => folder, /regular file/],
    ['of an empty file', () => write('empty.onnx', new Uint8Array(0)), /empty/],
    ['with a NUL byte', () => `${write('x.onnx', bytes)}\0.txt`, /null byte|\\x00|NUL/i],
    ['of endless zeros', () => '/dev/zero', /regular file/],
    ['that is empty', () => '', /./],
  ]
  test.each(paths)('from a path %s', async (_what, path, message) => {
    const error = await rejection(() => InferenceSession.create(path()))
    expect(error.message).toMatch(message)
    expect(error.code).toMatch(/^ERR_(IO|MODEL_PARSE|INVALID_ARG)/)
  })

  test.skipIf(process.platform === 'win32')('from a pipe that nobody writes to', async () => {
    const pipe = join(folder, 'pipe')
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    expect((await rejection(() => InferenceSession.create(pipe))).message).toMatch(/regular file/)
  })
})

function write(name: string, data: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, data)
  return path
}

describe('run', () => {
  const feeds: readonly (readonly [string, unknown, RegExp, RegExp])[] = [
    ['nothing', undefined, /feeds/, ARGUMENT],
    ['null', null, /feeds/, ARGUMENT],
    ['a tensor', good(), /feeds/, ARGUMENT],
    ['an array', [good()], /feeds/, ARGUMENT],
    ['no feeds', {}, /'x'/, /^ERR_MISSING_INPUT$/],
    ['another name', { z: good() }, /'x'/, /^ERR_MISSING_INPUT$/],
    ['null as a tensor', { x: null }, /'x'/, ARGUMENT],
    ['numbers', { x: [1, 2] }, /'x'/, ARGUMENT],
    ['another type', { x: new Tensor('int32', [1, 2], [2]) }, /int32.*float/, /^ERR_DTYPE_MISMATCH$/],
    ['another rank', { x: new Tensor('float32', [1, 2], [1, 2]) }, /rank.*x/, /^ERR_SHAPE_MISMATCH$/],
    ['another size', { x: new Tensor('float32', [1], [1]) }, /x.*[\s\S]*Expected: 2/, /^ERR_SHAPE_MISMATCH$/],
    ['strings', { x: new Tensor('string', ['a', 'b'], [2]) }, /string/, /^ERR_DTYPE_MISMATCH$/],
    [
      'data that is short',
      { x: { type: 'float32', dims: [2], data: new Float32Array(1) } },
      /8 bytes.*4/,
      /^ERR_SHAPE_MISMATCH$/,
    ],
    [
      'data that is long',
      { x: { type: 'float32', dims: [2], data: new Float32Array(3) } },
      /8 bytes.*12/,
      /^ERR_SHAPE_MISMATCH$/,
    ],
    ['data that is no array', { x: { type: 'float32', dims: [2], data: 'ab' } }, /'x'/, ARGUMENT],
    ['no data', { x: { type: 'float32', dims: [2], data: undefined } }, /'x'/, ARGUMENT],
    [
      'sizes that are strings',
      { x: { type: 'float32', dims: ['2'], data: new Float32Array(2) } },
      /x/,
      /^ERR_/,
    ],
    [
      'sizes that overflow',
      { x: { type: 'float32', dims: [2 ** 60], data: new Float32Array(2) } },
      /x/,
      /^ERR_/,
    ],
  ]
  test.each(feeds)('with %s', async (_what, value, message, code) => {
    const error = await rejection(() => session.run(any(value)))
    expect(error.message).toMatch(message)
    expect(error.code).toMatch(code)
    const again = await rejection(() => session.runSync(any(value)))
    expect(again.code).toMatch(code)
  })

  test('with data that is detached', async () => {
    const x = good()
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] })
    expect((await rejection(() => session.run({ x }))).code).toBe('ERR_SHAPE_MISMATCH')
  })

  test('with a tensor that is disposed', async () => {
    const x = good()
    x.dispose()
    expect((await rejection(() => session.run({ x }))).message).toMatch(/disposed/)
  })

  const fetches: readonly (readonly [string, unknown])[] = [
    ['no names', []],
    ['an unknown name', ['z']],
    ['a number', [5]],
    ['null', null],
    ['a word', 'y'],
  ]
  test.each(fetches)('that fetches %s', async (_what, value) => {
    expect((await rejection(() => session.run({ x: good() }, any(value)))).code).toMatch(ARGUMENT)
  })

  test('into a tensor of another size or type', async () => {
    for (const y of [new Tensor('float32', [1], [1]), new Tensor('int32', [1, 2], [2])]) {
      expect((await rejection(() => session.run({ x: good() }, { y }))).code).toBe('ERR_SHAPE_MISMATCH')
    }
  })

  test('after release, which may be called twice', async () => {
    const other = await InferenceSession.create(bytes)
    await other.release()
    await other.release()
    for (const call of [
      () => other.run({ x: good() }),
      () => other.runSync({ x: good() }),
      () => other.explain(),
      () => other.profile(),
    ]) {
      expect((await rejection(call)).code).toBe('ERR_SESSION_DISPOSED')
    }
  })
})

describe('Tensor', () => {
  const cases: readonly (readonly [string, () => unknown])[] = [
    ['of an unknown type', () => new Tensor(any<'float32'>('float33'), [1], [1])],
    ['whose sizes do not fit', () => new Tensor('float32', [1, 2, 3], [2])],
    ['of a negative size', () => new Tensor('float32', [], [-1])],
    ['of half a size', () => new Tensor('float32', [1], [0.5])],
    ['of NaN', () => new Tensor('float32', [1], [Number.NaN])],
    ['of sizes that overflow', () => new Tensor('float32', [1], [2 ** 53, 2 ** 53])],
    ['of data of another type', () => new Tensor('float32', any(new Int32Array(1)), [1])],
    ['of nothing', () => new Tensor(any(undefined))],
    ['reshaped to another count', () => good().reshape([3])],
  ]
  test.each(cases)('%s', async (_what, make) => {
    expect((await rejection(make)).code).toMatch(/^ERR_(INVALID_ARG_TYPE|OUT_OF_RANGE|SHAPE_MISMATCH)$/)
  })
})

describe('the other functions', () => {
  const data = [{ x: good() }]
  const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['quantize nothing', () => quantize(any(undefined), { data }), ARGUMENT],
    ['quantize without options', () => quantize(bytes, any(undefined)), ARGUMENT],
    ['quantize without data', () => quantize(bytes, any({})), ARGUMENT],
    ['quantize with data that is a number', () => quantize(bytes, { data: any(5) }), /^ERR_/],
    ['quantize with no samples', () => quantize(bytes, { data: [] }), /^ERR_CALIBRATION_DATA$/],
    [
      'quantize with NaN',
      () => quantize(bytes, { data: [{ x: new Tensor('float32', [Number.NaN, 1], [2]) }] }),
      /^ERR_CALIBRATION_DATA$/,
    ],
    [
      'quantize with a sample of another shape',
      () => quantize(bytes, { data: [{ x: new Tensor('float32', [1], [1]) }] }),
      /^ERR_CALIBRATION_DATA$/,
    ],
    ['quantize text', () => quantize(new TextEncoder().encode('text'), { data }), /^ERR_MODEL_PARSE$/],
    ['compare without options', () => compare(bytes, bytes, any(undefined)), ARGUMENT],
    ['compare with nothing', () => compare(bytes, any(null), { data }), ARGUMENT],
    ['compare with no samples', () => compare(bytes, bytes, { data: [] }), /^ERR_CALIBRATION_DATA$/],
    ['inspect nothing', () => inspect(any(undefined)), ARGUMENT],
    ['inspect text', () => inspect(new TextEncoder().encode('text')), /^ERR_MODEL_PARSE$/],
    ['explain nothing', () => explain(any(undefined)), ARGUMENT],
    ['explain text', () => explain(new TextEncoder().encode('text')), /^ERR_MODEL_PARSE$/],
  ]
  test.each(cases)('%s', async (_what, work, code) => {
    expect((await rejection(work)).code).toMatch(code)
  })

  test('an iterator that throws gives its own error', async () => {
    const failing = async function* () {
      yield { x: good() }
      throw new Error('the camera is gone')
    }
    expect((await rejection(() => quantize(bytes, { data: failing() }))).message).toBe('the camera is gone')
  })
})
