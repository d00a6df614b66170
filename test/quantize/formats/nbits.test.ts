/** Weights in the operators of onnxruntime: the same weights as by DequantizeLinear, here and there. */
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../../lib/calibrate/engine.js'
import type { ConstantTensor, Graph, Node } from '../../../lib/graph/graph.js'
import { floatsOf } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { type QuantizeOptions, quantize, type RecipeOptions } from '../../../lib/quantize/index.js'
import { reference } from '../../models/reference.js'
import { graph, node, noise } from '../graphs.js'
import { fileOf } from '../model.js'

const [ROWS, K, N] = [3, 80, 24]
const x = noise(ROWS, K)

function product(
  y: Node,
  dims: readonly number[],
  more: Readonly<Record<string, ConstantTensor>> = {},
): Graph {
  const constants = { w: noise(...dims), b: noise(N), one: noise(1), ...more }
  const used = Object.fromEntries(Object.entries(constants).filter(([name]) => y.inputs.includes(name)))
  return graph({ inputs: { x: [ROWS, K] }, outputs: ['y'], nodes: [y], constants: used })
}

const products: Readonly<Record<string, Graph>> = {
  MatMul: product(node('y = MatMul(x, w)'), [K, N]),
  'Gemm with bias': product(node('y = Gemm(x, w, b)', { alpha: 0.5, beta: 2 }), [K, N]),
  'Gemm transB': product(node('y = Gemm(x, w)', { transB: 1 }), [N, K]),
  'Gemm with one number': product(node('y = Gemm(x, w, one)', { beta: 0.5 }), [K, N]),
}

const FORCED = [{ match: { pattern: '.' }, exclude: false }]

async function made(float: Graph, options: QuantizeOptions) {
  const result = await quantize(fileOf(float), { rules: FORCED, ...options })
  return { ...result, written: (await readModel(result.model)).graph }
}

async function run(written: Graph): Promise<Float32Array> {
  const engine = await openEngine(written)
  const { y } = (await engine.run({ x })) as { readonly y: ConstantTensor }
  engine.release()
  return floatsOf(y).slice()
}

async function runThere(model: Uint8Array): Promise<Float32Array> {
  if (!reference) throw new Error('onnxruntime-node is not installed')
  const session = await reference.InferenceSession.create(model)
  const { y } = await session.run({ x: new reference.Tensor('float32', floatsOf(x), [ROWS, K]) })
  await session.release()
  return y?.data as Float32Array
}

function expectNear(got: Float32Array, want: Float32Array, share: number): void {
  expect(got).toHaveLength(want.length)
  const largest = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  const apart = got.reduce((m, v, i) => Math.max(m, Math.abs(v - (want[i] as number))), 0)
  expect(apart / largest).toBeLessThanOrEqual(share)
}

const types = ['int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2'] as const
const lay = [
  { group: 16 },
  { group: 32 },
  { group: 256 },
  { granularity: 'channel' },
  { granularity: 'tensor' },
] as const

function weightsOf(type: (typeof types)[number]): NonNullable<RecipeOptions['weights']>[] {
  return lay.flatMap((granularity) => [true, false].map((symmetric) => ({ type, symmetric, ...granularity })))
}

describe.each(Object.keys(products))('%s', (kind) => {
  const float = products[kind] as Graph

  test.each(types)('%s: the numbers of the other form', async (type) => {
    for (const weights of weightsOf(type)) {
      const [dq, nbits] = await Promise.all(
        (['dq', 'nbits'] as const).map((file) => made(float, { weights, activations: 'float', file })),
      )
      const kinds = nbits?.written.nodes.map(({ domain, opType }) => `${domain}:${opType}`)
      expect(kinds?.[0]).toBe('com.microsoft:MatMulNBits')
      expect(nbits?.report.weights).toMatchObject([
        { file: 'nbits', type, dims: float.constants.get('w')?.dims },
      ])
      expectNear(await run(nbits?.written as Graph), await run(dq?.written as Graph), 1e-5)
    }
  })

  test.skipIf(!reference).each(types)('%s: onnxruntime gives the same answers', async (type) => {
    for (const weights of weightsOf(type)) {
      const { written, model } = await made(float, { weights, activations: 'float', file: 'nbits' })
      expectNear(await run(written), await runThere(model), 1e-5)
    }
    const weights = { type, group: 32 } as const
    const { written, model } = await made(float, { weights, activations: 'block', file: 'nbits' })
    expectNear(await run(written), await runThere(model), 1e-2)
  })
})

test('activations in blocks are asked for by the level of accuracy', async () => {
  const levels = await Promise.all(
    (['block', 'float'] as const).map(async (activations) => {
      const { written } = await made(products.MatMul as Graph, {
        weights: { type: 'int4', group: 32 },
        activations,
        file: 'nbits',
      })
      return written.nodes[0]?.attributes.accuracy_level
    }),
  )
  expect(levels).toEqual([
    { kind: 'int', value: 4 },
    { kind: 'int', value: 1 },
  ])
})

test('what has no such operator keeps the other form, with the reason in the report', async () => {
  const float = graph({
    inputs: { x: [1, 8, 6, 6], z: [K, 3] },
    outputs: ['y', 'u', 'v'],
    nodes: [
      node('y = Conv(x, w)'),
      node('u = Gemm(z, m)', { transA: 1 }),
      node('t = Transpose(z)', { perm: [1, 0] }),
      node('v = MatMul(t, m)'),
    ],
    constants: { w: noise(12, 8, 3, 3), m: noise(K, N) },
  })
  const { report, written } = await made(float, {
    weights: { type: 'int4', group: 48 },
    activations: 'block',
    file: 'nbits',
  })
  const reasons = Object.fromEntries(
    report.weights.map(({ node: name, file, fileReason }) => [name, [file, fileReason]]),
  )
  expect(reasons).toEqual({
    'Conv:y': ['dq', 'Conv has no operator with weights in blocks'],
    'Gemm:u': ['dq', 'its first input is transposed'],
    'MatMul:v': ['dq', 'groups of 48 are no power of 2'],
  })
  expect(written.nodes.filter(({ opType }) => opType === 'DequantizeLinear')).toHaveLength(3)
})

describe('Gather', () => {
  const plain = graph({
    inputs: { i: [4] },
    outputs: ['y'],
    nodes: [node('y = Gather(t, i)')],
    constants: { t: noise(20, K) },
  })
  const float: Graph = { ...plain, types: new Map([['i', { dtype: 'int64', shape: [4] }]]) }
  const indices = BigInt64Array.of(3n, 0n, -1n, 7n)
  const rows = async (written: Graph) => {
    const engine = await openEngine(written)
    const i: ConstantTensor = { dtype: 'int64', dims: [4], data: new Uint8Array(indices.slice().buffer) }
    const { y } = (await engine.run({ i })) as { readonly y: ConstantTensor }
    engine.release()
    return floatsOf(y).slice()
  }

  test.each(['int8', 'uint8', 'int4', 'uint4'] as const)(
    '%s: rows of the other form, here and in onnxruntime',
    async (type) => {
      for (const weights of weightsOf(type)) {
        const [dq, nbits] = await Promise.all(
          (['dq', 'nbits'] as const).map((file) => made(float, { weights, activations: 'block', file })),
        )
        expect(nbits?.written.nodes.map(({ opType }) => opType)).toEqual(['GatherBlockQuantized'])
        const got = await rows(nbits?.written as Graph)
        expectNear(got, await rows(dq?.written as Graph), 1e-6)
        if (!reference) continue
        const session = await reference.InferenceSession.create(nbits?.model as Uint8Array)
        const { y } = await session.run({ i: new reference.Tensor('int64', indices, [4]) })
        await session.release()
        expectNear(got, y?.data as Float32Array, 1e-6)
      }
    },
  )

  test('2 bits have no operator', async () => {
    const { report } = await made(float, {
      weights: { type: 'int2', group: 16 },
      activations: 'block',
      file: 'nbits',
    })
    expect(report.weights).toMatchObject([
      { file: 'dq', fileReason: 'tables of fewer than 4 bits have no operator' },
    ])
  })
})
