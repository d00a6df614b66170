/** InferenceSession.create, metadata, release, and their errors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-common'
import {
  type Api,
  arithmetic,
  feeds,
  identity,
  type ParityCase,
  plain,
  sum,
  symbolic,
  untyped,
  withSession,
} from './case.js'

const buffer = arithmetic.slice().buffer as ArrayBuffer
/** The model in the middle of a buffer. */
const padded = new Uint8Array(arithmetic.length + 20)
padded.set(arithmetic, 10)

async function sumOf(api: Api, ...parameters: readonly unknown[]) {
  const create = api.InferenceSession.create.bind(api.InferenceSession) as (
    ...parameters: readonly unknown[]
  ) => Promise<InferenceSession>
  const session = await create(...parameters)
  const results = await session.run(feeds(api), ['sum'])
  await session.release()
  return Array.from(results.sum?.data as Float32Array)
}

const creations: readonly ParityCase[] = [
  {
    name: 'create(path)',
    act: async (api) => {
      const folder = mkdtempSync(join(tmpdir(), 'octavo-parity-'))
      const path = join(folder, 'model.onnx')
      writeFileSync(path, arithmetic)
      try {
        return await sumOf(api, path)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
    gives: sum,
  },
  { name: 'create(Uint8Array)', act: (api) => sumOf(api, arithmetic), gives: sum },
  {
    name: 'create(Uint8Array, options)',
    act: (api) => sumOf(api, arithmetic, { intraOpNumThreads: 1 }),
    gives: sum,
  },
  { name: 'create(ArrayBuffer)', act: (api) => sumOf(api, buffer), gives: sum },
  { name: 'create(ArrayBuffer, options)', act: (api) => sumOf(api, buffer, {}), gives: sum },
  {
    name: 'create(ArrayBuffer, byteOffset, byteLength)',
    act: (api) => sumOf(api, padded.buffer, 10, arithmetic.length),
    gives: sum,
  },
  {
    name: 'create(ArrayBuffer, byteOffset, byteLength, options)',
    act: (api) => sumOf(api, padded.buffer, 10, arithmetic.length, { logSeverityLevel: 3 }),
    gives: sum,
  },
  ...['disabled', 'basic', 'extended', 'all'].map((graphOptimizationLevel) => ({
    name: `create with graphOptimizationLevel '${graphOptimizationLevel}'`,
    act: (api: Api) => sumOf(api, arithmetic, { graphOptimizationLevel }),
    gives: sum,
  })),
  {
    name: 'create with all options that change nothing',
    act: (api) =>
      sumOf(api, arithmetic, {
        executionProviders: ['cpu'],
        interOpNumThreads: 1,
        enableCpuMemArena: false,
        enableMemPattern: false,
        executionMode: 'sequential',
        logId: 'parity',
        logSeverityLevel: 4,
        logVerbosityLevel: 0,
        extra: {},
      }),
    gives: sum,
  },
  {
    name: 'create with a provider as an object',
    act: (api) => sumOf(api, arithmetic, { executionProviders: [{ name: 'cpu' }] }),
    gives: sum,
  },
]

const metadata: readonly ParityCase[] = [
  {
    name: 'names and metadata',
    act: (api) =>
      withSession(api, arithmetic, (s) => [s.inputNames, s.outputNames, s.inputMetadata, s.outputMetadata]),
    gives: [
      ['a', 'b'],
      ['sum', 'product'],
      ['a', 'b'].map((name) => ({ name, isTensor: true, type: 'float32', shape: [2, 3] })),
      ['sum', 'product'].map((name) => ({ name, isTensor: true, type: 'float32', shape: [2, 3] })),
    ],
  },
  {
    name: 'symbolic sizes',
    act: (api) => withSession(api, symbolic, (s) => [s.inputMetadata, s.outputMetadata]),
    gives: [
      [{ name: 'x', isTensor: true, type: 'float32', shape: ['batch', 3] }],
      [{ name: 'y', isTensor: true, type: 'float32', shape: ['batch', 3] }],
    ],
  },
  {
    name: 'freeDimensionOverrides',
    act: (api) =>
      withSession(
        api,
        symbolic,
        async (session) => {
          const x = new api.Tensor('float32', new Float32Array(15), [5, 3])
          return (await session.run({ x })).y?.dims
        },
        { freeDimensionOverrides: { batch: 5 } },
      ),
    gives: [5, 3],
  },
  { name: 'env.versions', act: ({ env }) => typeof env.versions.common, gives: 'string' },
  {
    name: 'env.logLevel',
    act: ({ env }) => {
      const before = env.logLevel
      env.logLevel = 'error'
      const during = env.logLevel
      env.logLevel = before
      return [before, during, typeof env.wasm, typeof env.webgpu]
    },
    gives: ['warning', 'error', 'object', 'object'],
  },
  {
    name: 'env.logLevel of another word',
    act: ({ env }) => {
      env.logLevel = untyped('loud')
    },
    throws: [Error, /^Unsupported logging level: loud$/],
  },
]

function fails(
  name: string,
  parameters: readonly unknown[],
  error: typeof Error,
  message: RegExp,
  code: string,
): ParityCase {
  return { name: `create: ${name}`, act: (api) => sumOf(api, ...parameters), throws: [error, message], code }
}

const TYPE = 'ERR_INVALID_ARG_TYPE'
const RANGE = 'ERR_OUT_OF_RANGE'
const noSource = /^Unexpected argument\[0\]: must be 'path' or 'buffer'\.$/
const noOptions = /^'options' must be an object\.$/
const size = buffer.byteLength

const errors: readonly ParityCase[] = [
  fails('nothing', [], TypeError, noSource, TYPE),
  fails('a number', [1], TypeError, noSource, TYPE),
  fails('an array', [[1, 2]], TypeError, noSource, TYPE),
  fails('an Int8Array', [new Int8Array(4)], TypeError, noSource, TYPE),
  fails('options null', [arithmetic, null], TypeError, noOptions, TYPE),
  fails('options a number', [arithmetic, 1], TypeError, noOptions, TYPE),
  fails('options a string', [buffer, 'x'], TypeError, noOptions, TYPE),
  fails('options after byteLength', [buffer, 0, size, 'x'], TypeError, noOptions, TYPE),
  fails(
    'byteOffset negative',
    [buffer, -1],
    RangeError,
    /^'byteOffset' is out of range \[0, \d+\)\.$/,
    RANGE,
  ),
  fails(
    'byteOffset at the end',
    [buffer, size],
    RangeError,
    /^'byteOffset' is out of range \[0, \d+\)\.$/,
    RANGE,
  ),
  fails('byteOffset 1.5', [buffer, 1.5], RangeError, /^'byteOffset' must be an integer\.$/, RANGE),
  fails('byteLength 0', [buffer, 0, 0], RangeError, /^'byteLength' is out of range \(0, \d+\]\.$/, RANGE),
  fails(
    'byteLength over',
    [buffer, 1, size],
    RangeError,
    /^'byteLength' is out of range \(0, \d+\]\.$/,
    RANGE,
  ),
  fails('byteLength 1.5', [buffer, 0, 1.5], RangeError, /^'byteLength' must be an integer\.$/, RANGE),
  fails('byteLength a string', [buffer, 0, '4'], TypeError, /^'byteLength' must be a number\.$/, TYPE),
  fails(
    'no such file',
    ['/nowhere/model.onnx'],
    Error,
    /^Load model from \/nowhere\/model\.onnx failed:.*File doesn't exist/,
    'ERR_IO',
  ),
  fails(
    'not a protobuf',
    [Uint8Array.of(255, 255, 255, 255)],
    Error,
    /^Failed to load model because protobuf parsing failed/,
    'ERR_MODEL_PARSE',
  ),
  fails(
    'no provider left',
    [arithmetic, { executionProviders: ['abacus'] }],
    Error,
    /^no available backend found\. ERR: \[abacus\] backend not found\./,
    RANGE,
  ),
  ...(
    [
      ['intraOpNumThreads', '4', TypeError],
      ['intraOpNumThreads', -1, RangeError],
      ['intraOpNumThreads', 1.5, RangeError],
      ['interOpNumThreads', {}, TypeError],
      ['graphOptimizationLevel', 'most', TypeError],
      ['graphOptimizationLevel', 0, TypeError],
      ['executionMode', 'both', TypeError],
      ['enableCpuMemArena', 1, TypeError],
      ['enableMemPattern', 'yes', TypeError],
      ['logId', 5, TypeError],
      ['logSeverityLevel', 'x', TypeError],
      ['logSeverityLevel', 5, RangeError],
    ] as const
  ).map(([option, given, error]) =>
    fails(
      `${option}: ${JSON.stringify(given)}`,
      [arithmetic, { [option]: given }],
      error,
      new RegExp(option),
      error === RangeError ? RANGE : TYPE,
    ),
  ),
]

const types: readonly (readonly [string, number, ArrayBufferView & ArrayLike<unknown>])[] = [
  ['float32', 1, Float32Array.of(1.5, -2, Number.NaN)],
  ['uint8', 2, Uint8Array.of(0, 255)],
  ['int8', 3, Int8Array.of(-128, 127)],
  ['int32', 6, Int32Array.of(-5, 2 ** 31 - 1)],
  ['int64', 7, BigInt64Array.of(-5n, 2n ** 62n)],
  ['bool', 9, Uint8Array.of(1, 0, 1)],
  ['float64', 11, Float64Array.of(1.1, -2e300)],
]

const roundTrips: readonly ParityCase[] = types.map(([type, elemType, data]) => ({
  name: `a ${type} tensor goes through`,
  act: (api) =>
    withSession(api, identity(elemType), async (session) => {
      return plain(
        await session.run({ x: new api.Tensor(type as 'float32', data as Float32Array, [data.length]) }),
      )
    }),
  gives: { y: { type, dims: [data.length], data: Array.from(data), location: 'cpu' } },
}))

export const sessionCases: readonly ParityCase[] = [...creations, ...metadata, ...errors, ...roundTrips]
