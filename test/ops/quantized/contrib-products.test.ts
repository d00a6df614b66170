/** Products, attention and LSTM that onnxruntime quantizes while running: against their definition, and against onnxruntime. */
import { describe, expect, test } from 'vitest'
import { mulberry32 } from '../../../lib/calibrate/reservoir.js'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { type AttributeInit, int, modelBytes, node, text, value } from '../../helpers/model.js'
import { reference } from '../../models/reference.js'

const TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6 } as const
type Type = keyof typeof TYPES
const ARRAYS = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array }

interface Value {
  readonly type: Type
  readonly dims: readonly number[]
  readonly data: readonly number[]
  /** A constant of the file. */
  readonly constant?: boolean
}

const count = (dims: readonly number[]) => dims.reduce((p, d) => p * d, 1)
const random = mulberry32(5)
const made = (type: Type, dims: number[], make: (i: number) => number): Value => ({
  type,
  dims,
  data: Array.from({ length: count(dims) }, (_, i) => make(i)),
})
const real = (dims: number[], low = -1, high = 1) =>
  made('float32', dims, () => Math.fround(low + random() * (high - low)))
const levels = (type: 'uint8' | 'int8', dims: number[]) =>
  made(type, dims, () => Math.floor(random() * 256) - (type === 'int8' ? 128 : 0))
const fixed = (v: Value): Value => ({ ...v, constant: true })
const scales = (...dims: number[]) => fixed(real(dims, 0.001, 0.01))

interface Case {
  readonly op: string
  readonly inputs: readonly (Value | undefined)[]
  readonly outputs?: number
  readonly attributes?: AttributeInit[]
}

function file({ op, inputs, outputs = 1, attributes = [] }: Case): Uint8Array {
  const names = inputs.map((v, i) => (v ? `i${i}` : ''))
  const out = Array.from({ length: outputs }, (_, i) => `o${i}`)
  const bytes = ({ type, data }: Value) => new Uint8Array(ARRAYS[type].from(data).buffer)
  return modelBytes(
    {
      name: 'g',
      input: inputs.flatMap((v, i) => (v && !v.constant ? [value(`i${i}`, v.dims, TYPES[v.type])] : [])),
      output: out.map((name) => value(name)),
      initializer: inputs.flatMap((v, i) =>
        v?.constant
          ? [{ name: `i${i}`, dataType: TYPES[v.type], dims: v.dims.map(BigInt), rawData: bytes(v) }]
          : [],
      ),
      node: [node(op, names, out, attributes, 'n', 'com.microsoft')],
    },
    21,
    {
      opsetImport: [
        { domain: '', version: 21n },
        { domain: 'com.microsoft', version: 1n },
      ],
    },
  )
}

type Api = Pick<typeof import('../../../lib/index.js'), 'InferenceSession' | 'Tensor'>

async function run(api: Api, given: Case): Promise<Float32Array[]> {
  const session = await api.InferenceSession.create(file(given), { logSeverityLevel: 3 })
  const feeds = given.inputs.flatMap((v, i) =>
    v && !v.constant
      ? [[`i${i}`, new api.Tensor(v.type, ARRAYS[v.type].from(v.data) as never, v.dims)] as const]
      : [],
  )
  const results = await session.run(Object.fromEntries(feeds))
  await session.release()
  return session.outputNames.map((name) => results[name]?.data as Float32Array)
}

const ours = { InferenceSession, Tensor } as Api
const theirs = reference as unknown as Api | undefined

/** The largest difference beside the largest value. */
function difference(got: readonly Float32Array[], want: readonly Float32Array[]): number {
  return Math.max(
    ...got.map((a, o) => {
      const b = want[o] as Float32Array
      expect(a.length).toBe(b.length)
      const most = b.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9)
      return a.reduce((m, v, i) => Math.max(m, Math.abs(v - (b[i] as number)) / most), 0)
    }),
  )
}

const weights = (type: 'uint8' | 'int8', ...dims: number[]) => fixed(levels(type, dims))
const zero = (type: 'uint8' | 'int8', ...dims: number[]) => fixed(levels(type, dims))

const products: readonly [string, Case][] = [
  [
    'dynamic, one scale',
    { op: 'DynamicQuantizeMatMul', inputs: [real([2, 3, 33]), weights('int8', 33, 17), scales()] },
  ],
  [
    'dynamic, columns, zero points and a bias',
    {
      op: 'DynamicQuantizeMatMul',
      inputs: [real([5, 33]), weights('uint8', 33, 17), scales(17), zero('uint8', 17), fixed(real([17]))],
    },
  ],
  [
    'dynamic, weights as an input',
    {
      op: 'DynamicQuantizeMatMul',
      inputs: [real([5, 33]), levels('int8', [33, 17]), scales(17), zero('int8', 17)],
    },
  ],
  [
    'integers, all parameters',
    {
      op: 'MatMulIntegerToFloat',
      inputs: [
        ...[levels('uint8', [2, 5, 33]), weights('int8', 33, 17), real([], 0.1, 1), scales(17)],
        ...[levels('uint8', []), zero('int8', 17), fixed(real([17]))],
      ],
    },
  ],
  [
    'integers, int8 and no zero points',
    {
      op: 'MatMulIntegerToFloat',
      inputs: [levels('int8', [5, 33]), weights('int8', 33, 17), scales(), scales()],
    },
  ],
  [
    'integers, a bias without zero points',
    {
      op: 'MatMulIntegerToFloat',
      inputs: [
        ...[levels('uint8', [5, 33]), weights('uint8', 33, 17), scales(1), scales(1)],
        ...[undefined, undefined, fixed(real([17]))],
      ],
    },
  ],
]

describe.each(products)('%s', (_, given) => {
  test('the sum of products, scaled', async () => {
    const [got] = await run(ours, given)
    expect(got?.length).toBe(count((given.inputs[0] as Value).dims.slice(0, -1)) * 17)
    expect(got?.every(Number.isFinite)).toBe(true)
  })

  test.skipIf(!theirs)('the bits of onnxruntime', async () => {
    expect(await run(ours, given)).toEqual(await run(theirs as Api, given))
  })
})

const attention = (
  rest: Partial<Record<'mask' | 'past', Value>>,
  attributes: AttributeInit[] = [],
  outputs = 1,
): Case => ({
  op: 'QAttention',
  outputs,
  attributes: [int('num_heads', 2), ...attributes],
  inputs: [
    ...[levels('uint8', [2, 5, 24]), weights('int8', 24, 48), fixed(real([48]))],
    ...[
      scales(),
      scales(48),
      rest.mask,
      fixed(levels('uint8', [])),
      fixed(made('int8', [48], () => 0)),
      rest.past,
    ],
  ],
})
const indices = (dims: number[], data: number[]): Value => ({ type: 'int32', dims, data })
const visible = [1, 1, 0, 1, 1, 1, 1, 1, 1, 0]

const attentions: readonly [string, Case][] = [
  ['attention', attention({})],
  ['causal attention', attention({}, [int('unidirectional', 1)])],
  ['attention with lengths', attention({ mask: indices([2], [3, 5]) })],
  ['attention with a mask', attention({ mask: indices([2, 5], visible) })],
  ['attention that gives keys and values', attention({}, [int('unidirectional', 1)], 2)],
  ['attention with a past', attention({ past: real([2, 2, 2, 3, 8]) }, [int('unidirectional', 1)], 2)],
]

test.each(attentions)('%s', async (_, given) => {
  const got = await run(ours, given)
  expect(got.every((y) => y.every(Number.isFinite))).toBe(true)
  if (theirs) expect(difference(got, await run(theirs, given))).toBeLessThan(1e-5)
})

function lstm(type: 'uint8' | 'int8', direction: string, perColumn: boolean, middle: number): Case {
  const d = direction === 'bidirectional' ? 2 : 1
  const [input, hidden, n, batch] = [9, 7, 28, 3]
  const parameter = (make: (dims: number[]) => Value) => fixed(make(perColumn ? [d, n] : [d]))
  const pair = () => [
    parameter((dims) => real(dims, 0.002, 0.006)),
    parameter((dims) => made(type, dims, () => middle)),
  ]
  return {
    op: 'DynamicQuantizeLSTM',
    outputs: 3,
    attributes: [int('hidden_size', hidden), text('direction', direction)],
    inputs: [
      ...[real([6, batch, input]), weights(type, d, input, n), weights(type, d, hidden, n)],
      ...[fixed(real([d, 2 * n], -0.1, 0.1)), undefined, real([d, batch, hidden]), real([d, batch, hidden])],
      ...[undefined, ...pair(), ...pair()],
    ],
  }
}

test.each([
  ['LSTM', lstm('int8', 'forward', false, 0)],
  ['LSTM, scales of columns', lstm('int8', 'reverse', true, 0)],
  ['LSTM of two directions', lstm('uint8', 'bidirectional', false, 128)],
  ['LSTM of two directions, scales of columns', lstm('int8', 'bidirectional', true, 0)],
  ['LSTM with levels that int8 does not hold', lstm('uint8', 'forward', true, 3)],
])('%s: a float state beside one that onnxruntime quantizes in every step', async (_, given) => {
  const got = await run(ours, given)
  expect(got.every((y) => y.every(Number.isFinite))).toBe(true)
  if (theirs) expect(difference(got, await run(theirs, given))).toBeLessThan(0.02)
})

test.each([
  [
    'heads that do not divide',
    { ...attention({}), attributes: [int('num_heads', 5)] },
    /weights \(input 1\) of 3 \* 5/,
  ],
  ['rotary embedding', attention({}, [int('do_rotary', 1)]), /do_rotary of 0/],
  ['a mask of other sizes', attention({ mask: indices([7], [1, 1, 1, 1, 1, 1, 1]) }), /a mask \(input 5\)/],
  [
    'a scale of other sizes',
    {
      ...lstm('int8', 'forward', false, 0),
      inputs: lstm('int8', 'forward', false, 0).inputs.with(8, scales(3)),
    },
    /input 8 float32 \[1\] or \[1, 28\]/,
  ],
])('%s: an error says what was expected', async (_, given, message) => {
  await expect(InferenceSession.create(file(given as Case))).rejects.toThrow(message)
})
