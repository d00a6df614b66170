/** Weights that a DequantizeLinear of constants states, in the forms that exporters write: the step that has them, and its answers. */
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { type Granularity, type LevelType, quantizedTensor } from '../../helpers/levels.js'
import {
  type AttributeInit,
  float,
  floatTensor,
  INT64,
  int,
  ints,
  modelBytes,
  node,
  value,
} from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'

interface Form {
  readonly name: string
  readonly type: LevelType
  /** Sizes of the levels. */
  readonly dims: readonly number[]
  readonly how: Granularity
  readonly zeros?: boolean
  /** To the matrix [k, n], from the levels. */
  readonly reshape?: readonly [number, number]
  readonly transpose?: boolean
  readonly gemm?: {
    readonly alpha?: number
    readonly beta?: number
    readonly transB?: boolean
    readonly c?: readonly number[]
  }
  /** What `explain` says of the product. */
  readonly form: string
}

const [K, N] = [96, 20]
const block = (axis: number, size: number) => ({ axis, size })

const FORMS: Form[] = [
  ...(['int4', 'uint4', 'int8', 'uint8', 'int2', 'uint2'] as const).flatMap((type): Form[] => {
    const bits = type.replace(/\D/g, '')
    return [
      {
        name: `${type} blocks`,
        type,
        dims: [K, N],
        how: block(0, 32),
        form: `integer ${bits}-bit, group 32`,
      },
      {
        name: `${type} channels`,
        type,
        dims: [K, N],
        how: { axis: 1 },
        form: `integer ${bits}-bit, per channel`,
      },
      { name: `${type} tensor`, type, dims: [K, N], how: {}, form: `integer ${bits}-bit, per channel` },
    ]
  }),
  {
    name: 'k no multiple of the block',
    type: 'int4',
    dims: [70, 9],
    how: block(0, 32),
    form: 'integer 4-bit, group 32',
  },
  {
    name: 'signed with zero points',
    type: 'int4',
    dims: [K, N],
    how: block(0, 16),
    zeros: true,
    form: 'integer 4-bit, group 16',
  },
  {
    name: 'a block that is no power of 2',
    type: 'int4',
    dims: [K, N],
    how: block(0, 24),
    form: 'float activations, 4-bit, group 24',
  },
  {
    name: 'rows, transposed',
    type: 'int4',
    dims: [N, K],
    how: block(1, 32),
    transpose: true,
    form: 'float activations, 4-bit, group 32',
  },
  {
    name: 'channels, transposed',
    type: 'int8',
    dims: [N, K],
    how: { axis: 0 },
    transpose: true,
    form: 'integer 8-bit, per channel',
  },
  {
    name: 'blocks as an axis',
    type: 'int4',
    dims: [N, 3, 32],
    how: block(2, 32),
    reshape: [N, K],
    transpose: true,
    form: 'float activations, 4-bit, group 32',
  },
  {
    name: 'blocks as rows',
    type: 'uint4',
    dims: [N * 3, 32],
    how: { axis: 0 },
    reshape: [N, K],
    transpose: true,
    form: 'float activations, 4-bit, group 32',
  },
  {
    name: 'Gemm',
    type: 'int4',
    dims: [K, N],
    how: block(0, 32),
    gemm: { c: [N] },
    form: 'integer 4-bit, group 32',
  },
  {
    name: 'Gemm transB',
    type: 'int4',
    dims: [N, K],
    how: block(1, 32),
    gemm: { transB: true, c: [1, N] },
    form: 'float activations, 4-bit, group 32',
  },
  {
    name: 'Gemm with alpha and beta',
    type: 'uint4',
    dims: [K, N],
    how: block(0, 32),
    gemm: { alpha: 0.5, beta: 2, c: [N] },
    form: 'float activations, 4-bit, group 32',
  },
  {
    name: 'Gemm with a beta of nothing',
    type: 'uint4',
    dims: [K, N],
    how: block(0, 32),
    gemm: { beta: 2 },
    form: 'integer 4-bit, group 32',
  },
  {
    name: 'Gemm with a bias of rows',
    type: 'int8',
    dims: [K, N],
    how: block(0, 32),
    gemm: { beta: 3, c: [3, 1] },
    form: 'float activations, 8-bit, group 32',
  },
]

const ROWS = 3
const x = (k: number) => {
  const random = new Random(5)
  return Float32Array.from({ length: ROWS * k }, () => Math.fround(random.uniform(-2, 2)))
}

/** The file, and its answer in double precision. */
function make({ type, dims, how, zeros, reshape, transpose, gemm }: Form) {
  const w = quantizedTensor('w', type, dims, how, zeros)
  const nodes = [
    node(
      'DequantizeLinear',
      w.inputs,
      ['f'],
      [
        ...(how.axis === undefined ? [] : [int('axis', how.axis)]),
        ...(how.size === undefined ? [] : [int('block_size', how.size)]),
      ],
    ),
  ]
  let last = 'f'
  const then = (op: string, inputs: string[], attributes: AttributeInit[] = []) => {
    nodes.push(node(op, [last, ...inputs], [`${last}'`], attributes))
    last = `${last}'`
  }
  const initializer: unknown[] = [...w.initializer]
  if (reshape) {
    const rawData = new Uint8Array(BigInt64Array.from(reshape.map(BigInt)).buffer)
    initializer.push({ name: 'sizes', dataType: INT64, dims: [2n], rawData })
    then('Reshape', ['sizes'])
  }
  if (transpose) then('Transpose', [], [ints('perm', [1, 0])])
  const [rows, columns] = (reshape ?? dims) as readonly [number, number]
  const turned = transpose || gemm?.transB
  const [k, n] = turned ? [columns, rows] : [rows, columns]
  const weight = (i: number, j: number) => w.values[turned ? j * k + i : i * n + j] as number
  const c = gemm?.c?.reduce((p, d) => p * d, 1) ?? 0
  const bias = Array.from({ length: c }, (_, i) => (i % 5) - 2)
  if (gemm?.c) initializer.push(floatTensor('c', [...gemm.c], bias))
  const { alpha = 1, beta = 1, transB = false } = gemm ?? {}
  const attributes = gemm ? [float('alpha', alpha), float('beta', beta), int('transB', transB ? 1 : 0)] : []
  nodes.push(
    node(gemm ? 'Gemm' : 'MatMul', ['x', last, ...(gemm?.c ? ['c'] : [])], ['y'], attributes, 'product'),
  )
  const a = x(k)
  const expected = Float64Array.from({ length: ROWS * n }, (_, at) => {
    const [r, j] = [Math.floor(at / n), at % n]
    let sum = 0
    for (let i = 0; i < k; i++) sum += (a[r * k + i] as number) * weight(i, j)
    const added = c === 0 ? 0 : (bias[gemm?.c?.[1] === 1 ? r : j % c] as number)
    return alpha * sum + beta * added
  })
  const small = type === 'int2' || type === 'uint2'
  const graph = {
    name: 'g',
    input: [value('x', [ROWS, k])],
    output: [value('y', [ROWS, n])],
    node: nodes,
    initializer,
  }
  const bytes = modelBytes(graph as Parameters<typeof modelBytes>[0], small ? 25 : 21, {
    irVersion: small ? 13n : 10n,
  })
  return { bytes, a, k, expected }
}

type Api = Pick<typeof import('../../../lib/index.js'), 'InferenceSession' | 'Tensor'>
const FLOAT = { extra: { session: { qdq_matmulnbits_accuracy_level: '0' } } }

async function run(api: Api, form: Form, options = {}): Promise<Float32Array> {
  const { bytes, a, k } = make(form)
  const session = await api.InferenceSession.create(bytes, options)
  const { y } = await session.run({ x: new api.Tensor('float32', a, [ROWS, k]) })
  const data = Float32Array.from(y?.data as Float32Array)
  await session.release()
  return data
}

/** The largest difference, as a part of the largest number. */
function difference(got: Float32Array, expected: ArrayLike<number>): number {
  expect(got.length).toBe(expected.length)
  const most = Array.from(expected).reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  return got.reduce((d, v, i) => Math.max(d, Math.abs(v - (expected[i] as number))), 0) / most
}

test.each(FORMS)('$name: what its definition gives, from packed weights', async (form) => {
  const { expected, bytes } = make(form)
  expect(difference(await run({ InferenceSession, Tensor }, form, FLOAT), expected)).toBeLessThan(1e-5)
  expect(difference(await run({ InferenceSession, Tensor }, form), expected)).toBeLessThan(0.01)
  const session = await InferenceSession.create(bytes)
  const steps = session.explain()
  await session.release()
  expect(steps.find(({ node }) => node === 'product')).toMatchObject({ step: 'BlockMatMul', form: form.form })
  expect(steps.map(({ step }) => step)).not.toContain('DequantizeLinear')
})

const path = process.env.OCTAVO_ORT_PATH
describe.skipIf(!path)('beside onnxruntime', () => {
  test.each(FORMS)('$name', async (form) => {
    const theirs = createRequire(`${path}/`)('onnxruntime-node') as Api
    const [ours, expected] = [await run({ InferenceSession, Tensor }, form), await run(theirs, form)]
    // Both quantize the same blocks of activations alike; where onnxruntime stays float, so do we.
    expect(difference(ours, expected)).toBeLessThan(form.form.startsWith('float') ? 1e-5 : 0.01)
  })
})
