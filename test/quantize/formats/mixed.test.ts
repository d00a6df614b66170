/** Formats of one model that rules mix, int4 weights between int8 activations, and float products between integer ones. */
import { expect, test } from 'vitest'
import { type Graph, producersOf } from '../../../lib/graph/graph.js'
import { floatsOf } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { type QuantizeOptions, quantize } from '../../../lib/quantize/index.js'
import { graph, node, noise } from '../graphs.js'
import { fileOf, samplesOf, variedNet } from '../model.js'

async function made(options: QuantizeOptions) {
  const result = await quantize(fileOf(variedNet()), { data: samplesOf(8), check: 'off', ...options })
  return { ...result, written: (await readModel(result.model)).graph }
}

/** Types of the weights of products, by the operator and first output. */
function weightTypes({ nodes, constants }: Graph): Readonly<Record<string, string | undefined>> {
  const producers = new Map(nodes.flatMap((n) => n.outputs.map((v) => [v, n])))
  const products = nodes.filter(({ opType }) => opType === 'Conv' || opType === 'Gemm')
  return Object.fromEntries(
    products.map(({ name, inputs: [, w = ''] }) => [
      name,
      constants.get(producers.get(w)?.inputs[0] ?? w)?.dtype,
    ]),
  )
}

test('a8w4: int4 weights with scales of channels, int8 activations, in integers', async () => {
  const { written, report } = await made({ preset: 'a8w4' })
  expect(weightTypes(written)).toEqual({ 'Conv:c1': 'int4', 'Conv:c2': 'int4', 'Gemm:y': 'int4' })
  expect(report.products).toMatchObject({ integer: 3, weightOnly: 0 })
  expect(report.weights.map(({ type }) => type)).toEqual(['int4', 'int4', 'int4'])
})

test('a rule takes one product to another format', async () => {
  const { written, report } = await made({
    rules: [
      {
        match: { opType: 'Gemm' },
        weights: { type: 'uint4', group: 16, symmetric: false },
        activations: 'block',
        exclude: false,
      },
    ],
  })
  expect(weightTypes(written)).toEqual({ 'Conv:c1': 'int8', 'Conv:c2': 'int8', 'Gemm:y': 'uint4' })
  expect(report.products).toMatchObject({ integer: 2, weightOnly: 1, total: 3 })
})

test('integer products among weights alone have the types that their own rule names', async () => {
  const { report } = await made({
    preset: 'int4-weights',
    rules: [
      { match: { opType: 'Gemm' }, exclude: false },
      {
        match: { opType: 'Conv' },
        weights: { type: 'int8', granularity: 'channel' },
        activations: { type: 'uint8' },
      },
    ],
  })
  expect(report.products).toMatchObject({ integer: 2, weightOnly: 1, total: 3 })
  expect(new Set(report.values.map(({ type }) => type))).toEqual(new Set(['uint8']))
})

test('no QuantizeLinear follows a float product that reads integers', async () => {
  const chain = graph({
    inputs: { x: [1, 3, 8, 8] },
    outputs: ['y'],
    nodes: [
      node('a = Conv(x, w1)'),
      node('b = Conv(a, w2)'),
      node('c = Conv(a, w3)'),
      node('s = Conv(b, w3)'),
      node('y = Add(s, c)'),
    ],
    constants: { w1: noise(4, 3, 3, 3), w2: noise(4, 4, 1, 1), w3: noise(4, 4, 3, 3) },
  })
  const { model } = await quantize(fileOf(chain), { data: samplesOf(8), check: 'off', exclude: ['Conv:b'] })
  const written = (await readModel(model)).graph
  const producers = producersOf(written)
  const float = written.nodes.find(({ name }) => name === 'Conv:b')
  expect(producers.get(float?.inputs[0] ?? '')?.opType).toBe('DequantizeLinear')
  expect(written.constants.get(float?.inputs[1] ?? '')?.dtype).toBe('float32')
  const readers = written.nodes.filter(({ inputs }) => inputs.includes(float?.outputs[0] ?? ''))
  expect(readers.map(({ opType }) => opType)).toEqual(['Max'])
  const [apart] = readers
  const after = written.nodes.filter(({ inputs }) => inputs.includes(apart?.outputs[0] ?? ''))
  expect(after.map(({ opType }) => opType)).toEqual(['QuantizeLinear'])
})

test('float and block activations in one file are a warning; operators with blocks say it of each product', async () => {
  const rules = [{ match: { opType: 'Gemm' }, activations: 'float', exclude: false }] as const
  const mixed = async (file: 'dq' | 'nbits') => {
    const float = graph({
      inputs: { x: [2, 64] },
      outputs: ['y'],
      nodes: [node('a = MatMul(x, w)'), node('y = Gemm(a, v)')],
      constants: { w: noise(64, 64), v: noise(64, 64) },
    })
    const { model, report } = await quantize(fileOf(float), { preset: 'int4-weights', file, rules })
    const { graph: written, metadata } = await readModel(model)
    const levels = written.nodes.map(({ attributes }) => attributes.accuracy_level)
    return { levels, stated: metadata['octavo.block_activations'], warnings: report.warnings }
  }
  const dq = await mixed('dq')
  expect(dq.stated).toBe('float')
  expect(dq.warnings.join()).toMatch(/some products are to take float activations/)
  const nbits = await mixed('nbits')
  expect(nbits.stated).toBeUndefined()
  expect(nbits.warnings).toEqual([])
  expect(nbits.levels).toEqual([
    { kind: 'int', value: 4 },
    { kind: 'int', value: 1 },
  ])
})

test('a product whose int2 weights ruin the output goes back to float', async () => {
  const float = graph({
    inputs: { x: [4, 64] },
    outputs: ['y'],
    nodes: [node('a = MatMul(x, w)'), node('h = Tanh(a)'), node('y = MatMul(h, v)')],
    constants: { w: noise(64, 64), v: noise(64, 64) },
  })
  const data = Array.from({ length: 8 }, () => ({
    x: { type: 'float32', dims: [4, 64], data: floatsOf(noise(4, 64)) },
  }))
  const options = {
    data,
    preset: 'int8-weights',
    rules: [{ match: { node: 'MatMul:a' }, weights: { type: 'int2', group: 64 } }],
  } as const
  const { report } = await quantize(fileOf(float), options)
  expect(report.check?.repaired).toEqual(['MatMul:a'])
  expect(report.float.find(({ node: name }) => name === 'MatMul:a')?.reason).toMatch(/ruins an output/)
  expect(report.weights.map(({ node: name }) => name)).toEqual(['MatMul:y'])
  const warned = await quantize(fileOf(float), { ...options, check: 'warn' })
  expect(warned.report.warnings.join()).toMatch(/'MatMul:a' \(MatMul\) takes most of it/)
})
