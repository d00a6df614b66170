/** Products whose activations are quantized while running: standard operators, near the float model here and in onnxruntime. */
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../../lib/calibrate/engine.js'
import type { ConstantTensor, Graph } from '../../../lib/graph/graph.js'
import { floatsOf } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { type QuantizeOptions, quantize } from '../../../lib/quantize/index.js'
import { openReference, reference } from '../../models/reference.js'
import { graph, node, noise } from '../graphs.js'
import { fileOf } from '../model.js'

const [K, N] = [40, 24]
const matrix = { x: [3, K] }
const image = { x: [1, 8, 9, 7] }

const models: Readonly<Record<string, Graph>> = {
  MatMul: graph({
    inputs: { x: [2, 3, K] },
    outputs: ['y'],
    nodes: [node('m = MatMul(x, w)'), node('y = Add(m, b)')],
    constants: { w: noise(K, N), b: noise(N) },
  }),
  Gemm: graph({
    inputs: matrix,
    outputs: ['y'],
    nodes: [node('y = Gemm(x, w, b)', { alpha: 0.5, beta: 2, transB: 1 })],
    constants: { w: noise(N, K), b: noise(N) },
  }),
  'Gemm with one number': graph({
    inputs: matrix,
    outputs: ['y'],
    nodes: [node('y = Gemm(x, w, b)', { beta: 0.5 })],
    constants: { w: noise(K, N), b: noise(1) },
  }),
  Conv: graph({
    inputs: image,
    outputs: ['y'],
    nodes: [node('y = Conv(x, w, b)', { pads: [1, 0, 1, 2], strides: [2, 1] })],
    constants: { w: noise(12, 8, 3, 3), b: noise(12) },
  }),
  'grouped Conv': graph({
    inputs: image,
    outputs: ['y'],
    nodes: [node('y = Conv(x, w)', { group: 4 })],
    constants: { w: noise(12, 2, 3, 3) },
  }),
}

const forms = [
  { type: 'dynamic' },
  { type: 'dynamic', symmetric: true },
  { type: 'dynamic', granularity: 'tensor' },
] as const

async function made(float: Graph, options: QuantizeOptions = {}) {
  const result = await quantize(fileOf(float), { preset: 'int8-dynamic', ...options })
  return { ...result, written: (await readModel(result.model)).graph }
}

async function run(written: Graph, x: ConstantTensor): Promise<Float32Array> {
  const engine = await openEngine(written)
  const { y } = (await engine.run({ x })) as { readonly y: ConstantTensor }
  engine.release()
  return floatsOf(y).slice()
}

function apart(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got).toHaveLength(want.length)
  const list = Array.from(want)
  const largest = Math.max(...list.map(Math.abs))
  return Math.max(...list.map((v, i) => Math.abs(v - (got[i] as number)))) / largest
}

const kinds = ({ nodes }: Graph) => nodes.map(({ opType }) => opType)

describe.each(Object.keys(models))('%s', (kind) => {
  const float = models[kind] as Graph
  const shape = float.types.get('x')?.shape as number[]

  test.each(forms)('%o: near the float model, with integer products', async (activations) => {
    const { written, report } = await made(float, { activations })
    expect(kinds(written).filter((k) => /^(MatMul|Conv)Integer$/.test(k))).toHaveLength(1)
    expect(report.products).toMatchObject({ integer: 1, weightOnly: 0, total: 1 })
    const x = noise(...shape)
    expect(apart(await run(written, x), await run(float, x))).toBeLessThan(0.02)
  })

  test.skipIf(!reference).each(forms)('%o: as in onnxruntime', async (activations) => {
    const { written, model } = await made(float, { activations })
    const x = noise(...shape)
    const session = await openReference(model)
    const { y } = await session.run({ x: { type: 'float32', data: floatsOf(x), dims: shape } })
    await session.release()
    expect(apart(await run(written, x), y?.data as Float32Array)).toBeLessThan(1e-5)
  })
})

test('rows have zero points unless they are symmetric, convolutions one scale in any case', async () => {
  const [rows, symmetric, tensor] = await Promise.all(
    forms.map(async (activations) => kinds((await made(models.MatMul as Graph, { activations })).written)),
  )
  expect(rows).toContain('ReduceMin')
  expect(symmetric).toContain('Abs')
  expect(tensor).toContain('DynamicQuantizeLinear')
  expect(kinds((await made(models.Conv as Graph)).written)).toContain('DynamicQuantizeLinear')
})

test('what several products read is quantized once', async () => {
  const float = graph({
    inputs: matrix,
    outputs: ['y'],
    nodes: [node('a = MatMul(x, w)'), node('b = MatMul(x, v)'), node('y = Add(a, b)')],
    constants: { w: noise(K, N), v: noise(K, N) },
  })
  const { written } = await made(float)
  expect(kinds(written).filter((k) => k === 'ReduceMax')).toHaveLength(1)
  expect(kinds(written).filter((k) => k === 'MatMulInteger')).toHaveLength(2)
})

test('weights that have no integer operator are stated as weights alone, with their type', async () => {
  const float = graph({
    inputs: { x: [1, 8, 6, 6] },
    outputs: ['y'],
    nodes: [node('y = ConvTranspose(x, w)')],
    constants: { w: noise(8, 6, 3, 3) },
  })
  const { report, written } = await made(float)
  expect(kinds(written)).toEqual(['DequantizeLinear', 'ConvTranspose'])
  expect(report.weights).toMatchObject([{ type: 'int8', file: 'dq' }])
  const groups = await made(models.MatMul as Graph, {
    weights: { type: 'int4', group: 32, symmetric: false },
    activations: 'dynamic',
  })
  expect(kinds(groups.written)).toEqual(['DequantizeLinear', 'MatMul', 'Add'])
  expect(groups.report.products).toMatchObject({ integer: 0, weightOnly: 1 })
})

test('large tables are int8, a scale for each row; products of two activations stay float, with the reason', async () => {
  const plain = graph({
    inputs: { i: [4] },
    outputs: ['y'],
    nodes: [
      node('e = Gather(t, i)'),
      node('a = MatMul(e, w)'),
      node('r = Transpose(a)', { perm: [1, 0] }),
      node('y = MatMul(a, r)'),
    ],
    constants: { t: noise(600, K), w: noise(K, N) },
  })
  const float = { ...plain, types: new Map([['i', { dtype: 'int64' as const, shape: [4] }]]) }
  const { report } = await made(float)
  expect(report.weights.map(({ name, scales }) => [name, scales])).toEqual([
    ['t', 600],
    ['w', N],
  ])
  const reasons = Object.fromEntries(report.float.map(({ node: name, reason }) => [name, reason]))
  expect(reasons['MatMul:y']).toBe('its weights are not constants')
  expect(reasons['Gather:e']).toBeUndefined()
})

test('one scale for a tensor always has a zero point', async () => {
  const activations = { type: 'dynamic', granularity: 'tensor', symmetric: true } as const
  await expect(made(models.MatMul as Graph, { activations })).rejects.toThrow(
    /'activations.symmetric': expected false beside granularity 'tensor'/,
  )
})
