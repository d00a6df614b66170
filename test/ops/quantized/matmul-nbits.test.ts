/** MatMulNBits in all its variants, beside its definition; and beside onnxruntime where that is at hand. */
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { float16ToNumber, numberToFloat16 } from '../../../lib/graph/float16.js'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { int, modelBytes, node, value } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'

const FLOAT = 1
const UINT8 = 2
const FLOAT16 = 10

interface Case {
  readonly k: number
  readonly n: number
  readonly bits: 2 | 4 | 8
  readonly size: number
  readonly zeros?: 'packed' | 'float'
  readonly bias?: boolean
  readonly half?: boolean
  /** Scales and zero points as vectors. */
  readonly flat?: boolean
  readonly level?: number
}

const CASES: Case[] = [
  { k: 64, n: 24, bits: 4, size: 32 },
  { k: 64, n: 24, bits: 4, size: 32, zeros: 'packed' },
  { k: 64, n: 24, bits: 4, size: 16, zeros: 'float', flat: true },
  { k: 70, n: 33, bits: 4, size: 32, zeros: 'packed', bias: true },
  { k: 100, n: 5, bits: 4, size: 64, level: 4 },
  { k: 96, n: 17, bits: 4, size: 32, zeros: 'packed', level: 4, flat: true },
  { k: 300, n: 16, bits: 4, size: 256, level: 4, bias: true },
  { k: 600, n: 8, bits: 4, size: 512, level: 4 },
  { k: 64, n: 24, bits: 8, size: 32, level: 4 },
  { k: 70, n: 9, bits: 8, size: 16, zeros: 'packed' },
  { k: 64, n: 24, bits: 2, size: 64 },
  { k: 130, n: 20, bits: 2, size: 32, zeros: 'packed', level: 4 },
  { k: 64, n: 24, bits: 4, size: 32, half: true },
  { k: 64, n: 24, bits: 4, size: 32, half: true, zeros: 'packed', level: 4 },
]

/** The inputs of a node, and the weights that they stand for, [n][k]. */
function make(c: Case) {
  const random = new Random(c.k + c.n + c.bits)
  const count = Math.ceil(c.k / c.size)
  const blob = (c.size * c.bits) / 8
  const zeroRow = Math.ceil((count * c.bits) / 8)
  const mask = 2 ** c.bits - 1
  const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(random.uniform(0, 256)))
  const b = bytes(c.n * count * blob)
  const packed = bytes(c.n * zeroRow)
  const real = Float32Array.from({ length: c.n * count }, () => Math.fround(random.uniform(0, mask)))
  // Negative ones too: so is every second block of onnxruntime's own quantizer.
  const scales = Float32Array.from({ length: c.n * count }, () =>
    float16ToNumber(numberToFloat16(random.uniform(-0.1, 0.1))),
  )
  const bias = Float32Array.from({ length: c.n }, () => Math.fround(random.uniform(-1, 1)))
  const level = (from: Uint8Array, row: number, width: number, i: number) =>
    ((from[row * width + Math.floor((i * c.bits) / 8)] as number) >> ((i * c.bits) % 8)) & mask
  const weight = (j: number, i: number) => {
    const block = Math.floor(i / c.size)
    const zero =
      c.zeros === 'packed'
        ? level(packed, j, zeroRow, block)
        : c.zeros === 'float'
          ? (real[j * count + block] as number)
          : 2 ** (c.bits - 1)
    return (level(b, j, count * blob, i) - zero) * (scales[j * count + block] as number)
  }
  return { count, blob, zeroRow, b, packed, real, scales, bias, weight }
}

function model(
  c: Case,
  attributes: Record<string, number> = {},
  dims?: Record<string, number[]>,
): Uint8Array {
  const { count, blob, zeroRow, b, packed, real, scales, bias } = make(c)
  const type = c.half ? FLOAT16 : FLOAT
  const numbers = (values: Float32Array) =>
    c.half
      ? new Uint8Array(Uint16Array.from(values, (v) => numberToFloat16(v)).buffer)
      : new Uint8Array(values.buffer)
  // A buffer of its own, as the writer of messages asks for.
  const tensor = (name: string, dataType: number, sizes: number[], rawData: Uint8Array) => ({
    name,
    dataType,
    dims: (dims?.[name] ?? sizes).map(BigInt),
    rawData: new Uint8Array(rawData),
  })
  const initializer = [
    tensor('b', UINT8, [c.n, count, blob], b),
    tensor('scales', type, c.flat ? [c.n * count] : [c.n, count], numbers(scales)),
  ]
  if (c.zeros === 'packed') {
    initializer.push(tensor('zeros', UINT8, c.flat ? [c.n * zeroRow] : [c.n, zeroRow], packed))
  }
  if (c.zeros === 'float') initializer.push(tensor('zeros', type, [c.n, count], numbers(real)))
  if (c.bias) initializer.push(tensor('bias', type, [c.n], numbers(bias)))
  const given = {
    K: c.k,
    N: c.n,
    bits: c.bits,
    block_size: c.size,
    accuracy_level: c.level ?? 0,
    ...attributes,
  }
  const inputs = ['x', 'b', 'scales', c.zeros ? 'zeros' : '', '', c.bias ? 'bias' : '']
  while (inputs.at(-1) === '') inputs.pop()
  return modelBytes({
    name: 'g',
    input: [value('x', ['batch', 'm', c.k], type)],
    output: [value('y', ['batch', 'm', c.n], type)],
    initializer,
    node: [
      node(
        'MatMulNBits',
        inputs,
        ['y'],
        Object.entries(given).map(([name, v]) => int(name, v)),
        'product',
        'com.microsoft',
      ),
    ],
  })
}

function input(c: Case, rows: number) {
  const random = new Random(3)
  const x = Float32Array.from({ length: rows * c.k }, (_, i) =>
    // One row of zeros: its scale is 0.
    Math.floor(i / c.k) === 1 ? 0 : float16ToNumber(numberToFloat16(random.uniform(-2, 2))),
  )
  return x
}

type Api = Pick<typeof import('../../../lib/index.js'), 'InferenceSession' | 'Tensor'>

async function run(api: Api, c: Case, x: Float32Array, rows: number): Promise<Float32Array> {
  const session = await api.InferenceSession.create(model(c))
  const data = c.half ? Uint16Array.from(x, (v) => numberToFloat16(v)) : x
  const feed = new api.Tensor(c.half ? 'float16' : 'float32', data as Float32Array, [1, rows, c.k])
  const { y } = await session.run({ x: feed })
  const out = y?.data as Float32Array
  await session.release()
  return c.half ? Float32Array.from(out as unknown as Uint16Array, float16ToNumber) : out
}

/** Of float activations: rounding alone. Of int8 ones: 1 % of the largest output. Of float16: what its last bit is worth. */
function tolerance(c: Case, expected: Float32Array): number {
  const most = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  return most * Math.max(c.level === 4 ? 0.01 : 1e-5, c.half ? 1e-3 : 0)
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] as number))), 0)
}

test.each(CASES)('%o: what its definition gives', async (c) => {
  const { weight, bias } = make(c)
  for (const rows of [1, 5]) {
    const x = input(c, rows)
    const expected = new Float32Array(rows * c.n)
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < c.n; j++) {
        let sum = c.bias ? (bias[j] as number) : 0
        for (let i = 0; i < c.k; i++) sum += (x[r * c.k + i] as number) * weight(j, i)
        expected[r * c.n + j] = sum
      }
    }
    const y = await run({ InferenceSession, Tensor }, c, x, rows)
    expect(largestDifference(y, expected)).toBeLessThanOrEqual(tolerance(c, expected))
  }
})

const path = process.env.OCTAVO_ORT_PATH
describe.skipIf(!path)('beside onnxruntime', () => {
  // It takes blocks of 256 at most.
  test.each(CASES.filter(({ size }) => size <= 256))('%o', async (c) => {
    const theirs = createRequire(`${path}/`)('onnxruntime-node') as Api
    const x = input(c, 4)
    const [ours, expected] = [await run({ InferenceSession, Tensor }, c, x, 4), await run(theirs, c, x, 4)]
    expect(largestDifference(ours, expected)).toBeLessThanOrEqual(tolerance(c, expected))
  })
})

describe('errors say what was expected and what came', () => {
  const c: Case = { k: 64, n: 8, bits: 4, size: 32, zeros: 'packed' }
  const cases: [string, Uint8Array, RegExp][] = [
    ['bits', model(c, { bits: 3 }), /bits of 2, 4 or 8, got 3/],
    ['a block under 16', model(c, { block_size: 8 }), /block_size of 16 or more, got 8/],
    ['a block that is no power of 2', model(c, { block_size: 48 }), /power of 2, got 48/],
    ['K', model(c, { K: 96 }), /K \(96\) as the last axis of input 0, got 64/],
    ['block_size', model(c, { block_size: 64 }), /sizes \[8, 2\] of input 2|sizes \[8, 1\] of input 2/],
    ['N', model(c, { N: 9 }), /sizes \[9, 2, 16\] of input 1 \("b"\).*got \[8, 2, 16\]/],
  ]
  test.each(cases)('%s', async (_, bytes, message) => {
    await expect(InferenceSession.create(bytes)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      node: 'product',
    })
  })

  test('a scale that is not a number', async () => {
    const { scales } = make(c)
    const bytes = Buffer.from(model(c))
    const at = bytes.indexOf(Buffer.from(scales.buffer))
    bytes.writeFloatLE(Number.NaN, at + 4)
    await expect(InferenceSession.create(bytes)).rejects.toThrow(
      /scales.*finite numbers, got .*nan.* element 1/,
    )
  })
})
