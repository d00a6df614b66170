/** InferenceSession.run: feeds, fetches, options, and their errors. */
import {
  type Api,
  arithmetic,
  b,
  feeds,
  type ParityCase,
  plain,
  product,
  sum,
  symbolic,
  withSession,
} from './case.js'

type Parameters = (api: Api) => readonly unknown[]

function run(name: string, parameters: Parameters, gives: unknown): ParityCase {
  return { name: `run: ${name}`, act: (api) => results(api, parameters), gives }
}

function fails(
  name: string,
  parameters: Parameters,
  error: typeof Error,
  message: RegExp,
  code: string,
  model = arithmetic,
): ParityCase {
  return {
    name: `run: ${name}`,
    act: (api) => results(api, parameters, model),
    throws: [error, message],
    code,
  }
}

function results(api: Api, parameters: Parameters, model = arithmetic) {
  return withSession(api, model, async (session) => {
    const call = session.run.bind(session) as (...p: readonly unknown[]) => ReturnType<typeof session.run>
    return plain(await call(...parameters(api)))
  })
}

const output = (data: readonly number[]) => ({ type: 'float32', dims: [2, 3], data, location: 'cpu' })
const both = { sum: output(sum), product: output(product) }

const calls: readonly ParityCase[] = [
  run('all outputs', (api) => [feeds(api)], both),
  run('outputs by name', (api) => [feeds(api), ['product']], { product: output(product) }),
  run('outputs in the order asked for', (api) => [feeds(api), ['product', 'sum']], both),
  run('outputs as keys', (api) => [feeds(api), { sum: null }], { sum: output(sum) }),
  run('fetches and options', (api) => [feeds(api), ['sum'], { tag: 'x' }], { sum: output(sum) }),
  run('options alone', (api) => [feeds(api), { tag: 'x', logSeverityLevel: 4 }], both),
  run('an output name that is no fetch is an option', (api) => [feeds(api), { sum: 5 }], both),
  run(
    'feeds that the model does not have are ignored',
    (api) => [{ ...feeds(api), c: feeds(api).a }, ['sum']],
    {
      sum: output(sum),
    },
  ),
  {
    name: 'run: into a tensor of the caller',
    act: (api) =>
      withSession(api, arithmetic, async (session) => {
        const target = new api.Tensor('float32', new Float32Array(6), [2, 3])
        const given = await session.run(feeds(api), { sum: target })
        return [Object.keys(given), Array.from(target.data)]
      }),
    gives: [['sum'], sum],
  },
  {
    name: 'run: any batch',
    act: (api) =>
      withSession(api, symbolic, async (session) => {
        const shapes: unknown[] = []
        for (const n of [1, 4, 2]) {
          const x = new api.Tensor('float32', new Float32Array(n * 3).fill(-1), [n, 3])
          shapes.push(plain(await session.run({ x })).y?.dims)
        }
        return shapes
      }),
    gives: [
      [1, 3],
      [4, 3],
      [2, 3],
    ],
  },
  {
    name: 'run: a view of a larger buffer',
    act: (api) =>
      withSession(api, arithmetic, async (session) => {
        const large = new Float32Array(20)
        large.set(b, 7)
        const view = new api.Tensor('float32', large.subarray(7, 13), [2, 3])
        return plain(await session.run({ ...feeds(api), b: view }, ['sum']))
      }),
    gives: { sum: output(sum) },
  },
  {
    name: 'run: outputs are tensors of the same module',
    act: (api) =>
      withSession(
        api,
        arithmetic,
        async (session) => (await session.run(feeds(api))).sum instanceof api.Tensor,
      ),
    gives: true,
  },
  {
    name: 'run: many at once',
    act: (api) =>
      withSession(api, arithmetic, async (session) => {
        const all = await Promise.all(Array.from({ length: 8 }, () => session.run(feeds(api), ['sum'])))
        return all.map((r) => r.sum?.data[0])
      }),
    gives: Array(8).fill(7),
  },
]

const TYPE = 'ERR_INVALID_ARG_TYPE'
const noFeeds =
  /^'feeds' must be an object that use input names as keys and OnnxValue as corresponding values\.$/
const noFetches = /^Unexpected argument\[1\]: must be 'fetches' or 'options'\.$/

const errors: readonly ParityCase[] = [
  fails('nothing', () => [], TypeError, noFeeds, TYPE),
  fails('null', () => [null], TypeError, noFeeds, TYPE),
  fails('an array', () => [[]], TypeError, noFeeds, TYPE),
  fails('a tensor', (api) => [feeds(api).a], TypeError, noFeeds, TYPE),
  fails(
    'a feed is missing',
    (api) => [{ a: feeds(api).a }],
    Error,
    /^input 'b' is missing in 'feeds'\.$/,
    'ERR_MISSING_INPUT',
  ),
  fails(
    'fetches null',
    (api) => [feeds(api), null],
    TypeError,
    /^Unexpected argument\[1\]: cannot be null\.$/,
    TYPE,
  ),
  fails('fetches a number', (api) => [feeds(api), 1], TypeError, noFetches, TYPE),
  fails('fetches a string', (api) => [feeds(api), 'sum'], TypeError, noFetches, TYPE),
  fails(
    'fetches a tensor',
    (api) => [feeds(api), feeds(api).a],
    TypeError,
    /^'fetches' cannot be a Tensor$/,
    TYPE,
  ),
  fails('fetches []', (api) => [feeds(api), []], TypeError, /^'fetches' cannot be an empty array\.$/, TYPE),
  fails(
    'fetches of numbers',
    (api) => [feeds(api), [1]],
    TypeError,
    /^'fetches' must be a string array or an object\.$/,
    TYPE,
  ),
  fails(
    'fetches unknown',
    (api) => [feeds(api), ['nope']],
    RangeError,
    /^'fetches' contains invalid output name: nope\.$/,
    'ERR_OUT_OF_RANGE',
  ),
  fails(
    'options a number',
    (api) => [feeds(api), ['sum'], 1],
    TypeError,
    /^'options' must be an object\.$/,
    TYPE,
  ),
  fails(
    'options null',
    (api) => [feeds(api), ['sum'], null],
    TypeError,
    /^'options' must be an object\.$/,
    TYPE,
  ),
  fails(
    'logSeverityLevel',
    (api) => [feeds(api), { logSeverityLevel: 'x' }],
    TypeError,
    /logSeverityLevel/,
    TYPE,
  ),
  fails('tag', (api) => [feeds(api), { tag: 5 }], TypeError, /tag/, TYPE),
  fails(
    'a feed of another type',
    (api) => [{ ...feeds(api), a: new api.Tensor('int8', new Int8Array(6), [2, 3]) }],
    Error,
    /Unexpected input data type\. Actual: \(tensor\(int8\)\) , expected: \(tensor\(float\)\)/,
    'ERR_DTYPE_MISMATCH',
  ),
  fails(
    'a feed of other sizes',
    (api) => [{ ...feeds(api), a: new api.Tensor('float32', new Float32Array(8), [2, 4]) }],
    Error,
    /Got invalid dimensions for input: a for the following indices\n index: 1 Got: 4 Expected: 3/,
    'ERR_SHAPE_MISMATCH',
  ),
  fails(
    'a feed of another rank',
    (api) => [{ ...feeds(api), a: new api.Tensor('float32', new Float32Array(6), [6]) }],
    Error,
    /Invalid rank for input: a Got: 1 Expected: 2/,
    'ERR_SHAPE_MISMATCH',
  ),
  fails(
    'a fixed size of a model with an open one',
    (api) => [{ x: new api.Tensor('float32', new Float32Array(8), [2, 4]) }],
    Error,
    /Got invalid dimensions for input: x for the following indices\n index: 1 Got: 4 Expected: 3/,
    'ERR_SHAPE_MISMATCH',
    symbolic,
  ),
  {
    name: 'run: after release',
    act: async (api) => {
      const session = await api.InferenceSession.create(arithmetic)
      await session.release()
      return session.run(feeds(api))
    },
    throws: [Error, /^Session already disposed\.$/],
    code: 'ERR_SESSION_DISPOSED',
  },
]

export const runCases: readonly ParityCase[] = [...calls, ...errors]
