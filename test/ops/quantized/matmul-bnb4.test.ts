/** MatMulBnb4 beside its definition: levels of two tables, blocks of [N, K] row by row; and beside onnxruntime where that is at hand. */
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { floatTensor, int, modelBytes, node, value } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'

interface Case {
  readonly k: number
  readonly n: number
  readonly size: number
  readonly type: 0 | 1
  /** The step that has it: blocks that end within rows in short pieces are expanded. */
  readonly step: string
}

const CASES: Case[] = ([0, 1] as const).flatMap((type): Case[] => [
  { k: 128, n: 24, size: 64, type, step: 'BlockMatMul' },
  { k: 96, n: 10, size: 32, type, step: 'BlockMatMul' },
  // Blocks that lie in two rows: runs of 32 share a scale.
  { k: 96, n: 10, size: 64, type, step: 'BlockMatMul' },
  { k: 64, n: 12, size: 128, type, step: 'BlockMatMul' },
  { k: 70, n: 9, size: 16, type, step: 'MatMul' },
])

/** The published tables: powers of two and thirds, and quantiles of a normal distribution. */
const FP4 = [0, 0.0052083333, 2 / 3, 1, 1 / 3, 0.5, 1 / 6, 0.25]
const NF4 = [
  ...[-1, -0.696193, -0.525073, -0.394917, -0.284441, -0.184773, -0.09105, 0],
  ...[0.07958, 0.16093, 0.246112, 0.337915, 0.44071, 0.562617, 0.722957, 1],
]
const TABLES = [[...FP4, ...FP4.map((v) => -v)], NF4]

function make({ k, n, size, type }: Case) {
  const random = new Random(k + n + size)
  const bytes = Uint8Array.from({ length: Math.ceil((n * k) / 2) }, () => Math.floor(random.uniform(0, 256)))
  const absmax = Array.from({ length: Math.ceil((n * k) / size) }, () =>
    Math.fround(random.uniform(0.01, 0.2)),
  )
  const weight = (j: number, i: number) => {
    const at = j * k + i
    const level = ((bytes[at >> 1] as number) >> (at % 2 === 0 ? 4 : 0)) & 15
    return (TABLES[type]?.[level] as number) * (absmax[Math.floor(at / size)] as number)
  }
  return { bytes, absmax, weight }
}

function model(c: Case, attributes: Record<string, number> = {}): Uint8Array {
  const { bytes, absmax } = make(c)
  const given = { K: c.k, N: c.n, block_size: c.size, quant_type: c.type, ...attributes }
  const list = Object.entries(given).map(([name, v]) => int(name, v))
  return modelBytes({
    name: 'g',
    input: [value('x', [3, c.k])],
    output: [value('y', [3, c.n])],
    initializer: [
      { name: 'b', dataType: 2, dims: [BigInt(bytes.length)], rawData: bytes },
      floatTensor('a', [absmax.length], absmax),
    ],
    node: [node('MatMulBnb4', ['x', 'b', 'a'], ['y'], list, 'product', 'com.microsoft')],
  })
}

const input = (k: number) => Float32Array.from({ length: 3 * k }, (_, i) => ((i * 29) % 67) / 33 - 1)

type Api = Pick<typeof import('../../../lib/index.js'), 'InferenceSession' | 'Tensor'>

async function run(api: Api, c: Case): Promise<Float32Array> {
  const session = await api.InferenceSession.create(model(c))
  const { y } = await session.run({ x: new api.Tensor('float32', input(c.k), [3, c.k]) })
  await session.release()
  return Float32Array.from(y?.data as Float32Array)
}

function difference(got: Float32Array, expected: Float32Array): number {
  const most = expected.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  return got.reduce((d, v, i) => Math.max(d, Math.abs(v - (expected[i] as number))), 0) / most
}

test.each(CASES)('%o: what its definition gives', async (c) => {
  const { weight } = make(c)
  const x = input(c.k)
  const expected = Float32Array.from({ length: 3 * c.n }, (_, at) => {
    const [r, j] = [Math.floor(at / c.n), at % c.n]
    let sum = 0
    for (let i = 0; i < c.k; i++) sum += (x[r * c.k + i] as number) * weight(j, i)
    return sum
  })
  expect(difference(await run({ InferenceSession, Tensor }, c), expected)).toBeLessThan(1e-5)
  const session = await InferenceSession.create(model(c))
  expect(session.explain().map(({ step }) => step)).toEqual([c.step])
  await session.release()
})

const path = process.env.OCTAVO_ORT_PATH
describe.skipIf(!path)('beside onnxruntime', () => {
  test.each(CASES)('%o', async (c) => {
    const theirs = createRequire(`${path}/`)('onnxruntime-node') as Api
    const [ours, expected] = [await run({ InferenceSession, Tensor }, c), await run(theirs, c)]
    expect(difference(ours, expected)).toBeLessThan(1e-5)
  })
})

describe('errors say what was expected and what came', () => {
  const c = CASES[0] as Case
  test.each([
    ['quant_type', model(c, { quant_type: 2 }), /quant_type of 0 \(FP4\) or 1 \(NF4\), got 2/],
    ['transB', model(c, { transB: 0 }), /transB of 1, got 0/],
    ['K', model(c, { K: 64 }), /K \(64\) as the last axis of input 0, got 128/],
    ['N', model(c, { N: 25 }), /sizes \[1600\] of input 1 \("b"\).*got \[1536\]/],
    ['block_size', model(c, { block_size: 32 }), /sizes \[96\] of input 2 \("a"\).*got \[48\]/],
  ])('%s', async (_, bytes, message) => {
    await expect(InferenceSession.create(bytes)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      node: 'product',
    })
  })
})
