/** Weight-only formats: what the file holds is as near to the float weights as its levels, and nothing else is quantized. */
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../../lib/calibrate/engine.js'
import type { DType } from '../../../lib/graph/dtype.js'
import { FORMATS, type QuantizedDType } from '../../../lib/graph/format.js'
import type { ConstantTensor, Graph, Node } from '../../../lib/graph/graph.js'
import { elementCount, floatsOf, numbersOf, tensorFromNumbers } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { type QuantizeOptions, quantize } from '../../../lib/quantize/index.js'
import { graph, node, noise, numbers } from '../graphs.js'
import { fileOf } from '../model.js'

const K = 80
const models: Readonly<Record<string, () => Graph>> = {
  MatMul: () => product([node('m = MatMul(x, w)'), node('y = Add(m, b)')], [K, 24]),
  Gemm: () => product([node('y = Gemm(x, w, b)', { alpha: 0.5, beta: 2 })], [K, 24]),
  'Gemm transB': () => product([node('y = Gemm(x, w, b)', { transB: 1 })], [24, K]),
  Conv: () =>
    graph({
      inputs: { x: [1, 8, 6, 6] },
      outputs: ['y'],
      nodes: [node('y = Conv(x, w, b)', { pads: [1, 1, 1, 1], group: 2 })],
      constants: { w: noise(12, 4, 3, 3), b: noise(12) },
    }),
  ConvTranspose: () =>
    graph({
      inputs: { x: [1, 8, 6, 6] },
      outputs: ['y'],
      nodes: [node('y = ConvTranspose(x, w)', { group: 2 })],
      constants: { w: noise(8, 6, 3, 3) },
    }),
  Gather: () => {
    const table = graph({
      inputs: { i: [2, 3] },
      outputs: ['y'],
      nodes: [node('y = Gather(w, i)')],
      constants: { w: noise(20, K) },
    })
    return { ...table, types: new Map([['i', { dtype: 'int64' as const, shape: [2, 3] }]]) }
  },
}

function product(nodes: readonly Node[], dims: readonly number[]): Graph {
  const constants = { w: noise(...dims), b: noise(24) }
  return graph({ inputs: { x: [3, K] }, outputs: ['y'], nodes, constants })
}

async function made(float: Graph, options: QuantizeOptions) {
  const result = await quantize(fileOf(float), options)
  const { graph: written, metadata } = await readModel(result.model)
  return { ...result, written, metadata }
}

/** The real weights that a DequantizeLinear of the file gives, by the definition of ONNX. */
function realWeights({ nodes, constants }: Graph): {
  readonly real: Float64Array
  /** Of each weight, in magnitude. */
  readonly scales: Float64Array
  readonly levels: Float64Array
  readonly dtype: DType
} {
  const dq = nodes.find(({ opType }) => opType === 'DequantizeLinear') as Node
  const [levels, scale, zero] = dq.inputs.map((name) => constants.get(name)) as [
    ConstantTensor,
    ConstantTensor,
    ConstantTensor?,
  ]
  const { dims } = levels
  const [s, z] = [numbersOf(scale), zero && numbersOf(zero)]
  const axis = dq.attributes.axis?.kind === 'int' ? dq.attributes.axis.value : 0
  const block = dq.attributes.block_size?.kind === 'int' ? dq.attributes.block_size.value : 0
  const inner = elementCount(dims.slice(axis + 1))
  const size = dims[axis] as number
  const scales = new Float64Array(elementCount(dims))
  const real = numbersOf(levels).map((q, i) => {
    const along = Math.floor(i / inner) % size
    const outer = Math.floor(i / inner / size)
    const blocks = scale.dims[axis] ?? 1
    const at =
      scale.dims.length === 0
        ? 0
        : block > 0
          ? (outer * blocks + Math.floor(along / block)) * inner + (i % inner)
          : along
    scales[i] = Math.abs(s[at] as number)
    return (q - (z?.[at] ?? 0)) * (s[at] as number)
  })
  return { real, scales, levels: numbersOf(levels), dtype: levels.dtype }
}

/** Few weights are quantized too. */
const FORCED = [{ match: { pattern: '.' }, exclude: false }]

const types = ['int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2'] as const
const lay = [
  { group: 16 },
  { group: 32 },
  { group: 48 },
  { group: 256 },
  { granularity: 'channel' },
  { granularity: 'tensor' },
] as const

describe.each(Object.keys(models))('%s', (kind) => {
  test.each(types)('%s: every weight is within its level, for all granularities', async (type) => {
    const float = (models[kind] as () => Graph)()
    const w = floatsOf(float.constants.get('w') as ConstantTensor)
    for (const granularity of lay) {
      for (const symmetric of [true, false]) {
        const { written, report } = await made(float, {
          weights: { type, symmetric, range: 'minmax', levels: 'full', ...granularity },
          activations: 'float',
          force: true,
          rules: FORCED,
        })
        expect(written.nodes.filter(({ opType }) => opType === 'QuantizeLinear')).toEqual([])
        expect(report.weights).toHaveLength(1)
        expect(report.weights[0]?.type).toBe(type)
        const { real, scales, levels, dtype } = realWeights(written)
        const { qmin, qmax, bits } = FORMATS[dtype as QuantizedDType]
        const alike = w.every((v, i) => {
          // The larger side has a level more than the other one, whose end may then be a level too low.
          const end = bits < 8 && (levels[i] === qmin || levels[i] === qmax)
          return Math.abs(v - (real[i] as number)) <= (end ? 1.01 : 0.505) * (scales[i] as number) + 1e-6
        })
        // Without a level of its own, 0 moves the others by half a level at most.
        const near = w.every((v, i) => Math.abs(v - (real[i] as number)) <= 1.01 * (scales[i] as number))
        expect([type, granularity, symmetric, symmetric ? alike : near]).toEqual([
          type,
          granularity,
          symmetric,
          true,
        ])
      }
    }
  })

  test('the file computes what its weights say', async () => {
    const float = (models[kind] as () => Graph)()
    const { written } = await made(float, { weights: { type: 'int8', group: 16 }, activations: 'float' })
    const dq = written.nodes.find(({ opType }) => opType === 'DequantizeLinear') as Node
    const { real } = realWeights(written)
    const tensor = written.constants.get(dq.inputs[0] as string) as ConstantTensor
    const plain: Graph = {
      ...written,
      nodes: written.nodes.filter((n) => n !== dq),
      constants: new Map([
        ...written.constants,
        [dq.outputs[0] as string, tensorFromNumbers('float32', tensor.dims, real)],
      ]),
    }
    const [input = ''] = float.inputs
    const { dtype, shape = [] } = float.types.get(input) ?? { dtype: 'float32' }
    const dims = shape as number[]
    const values = numbersOf(noise(...dims)).map((v) => (dtype === 'int64' ? Math.floor((v + 1) * 9) : v))
    const feeds = { [input]: tensorFromNumbers(dtype, dims, values) }
    const [a, b] = await Promise.all(
      [written, plain].map(async (g) => {
        const engine = await openEngine(g)
        const { y } = (await engine.run(feeds)) as { readonly y: ConstantTensor }
        engine.release()
        return floatsOf(y)
      }),
    )
    expect(a).toHaveLength(b?.length as number)
    const largest = Math.max(...(b ?? []).map(Math.abs))
    // Weights of blocks may meet activations that are rounded to 8 bits.
    const apart = Math.max(...(a ?? []).map((v, i) => Math.abs(v - (b?.[i] as number))))
    expect(apart).toBeLessThanOrEqual(0.02 * largest)
  })
})

test('the search of least squared error loses less than the largest magnitude', async () => {
  const float = (models.MatMul as () => Graph)()
  const w = floatsOf(float.constants.get('w') as ConstantTensor)
  const error = async (range: 'mse' | 'minmax') => {
    const { written } = await made(float, {
      weights: { type: 'int4', group: 32, range },
      activations: 'float',
    })
    const { real } = realWeights(written)
    return w.reduce((n, v, i) => n + (v - (real[i] as number)) ** 2, 0)
  }
  expect(await error('mse')).toBeLessThan(await error('minmax'))
})

test('symmetric weights below 8 bits have the larger end at the level more, by a scale of its sign', async () => {
  const ends = numbers([0.5, -1, 0.25, 1, -0.4375, 0.1, ...Array(26).fill(0)], [16, 2])
  const float = product([node('y = MatMul(x, w)')], [16, 2])
  const { written } = await made(
    {
      ...float,
      inputs: ['x'],
      types: new Map([['x', { dtype: 'float32', shape: [3, 16] }]]),
      constants: new Map([['w', ends]]),
    },
    { weights: { type: 'int4', group: 16, range: 'minmax' }, activations: 'float', rules: FORCED },
  )
  const { real } = realWeights(written)
  expect(real[1]).toBe(-1)
  expect(real[3]).toBe(1 - 0.125)
  expect([real[0], real[4]]).toEqual([0.5, -0.4375])
  const scales = [...written.constants.values()].find(({ dtype }) => dtype === 'float32')
  expect(floatsOf(scales as ConstantTensor)).toEqual(Float32Array.of(-0.0625, 0.125))
})

test('weights of zeros, and of one sign, are exact at 0', async () => {
  const float = product([node('y = MatMul(x, w)')], [K, 24])
  const w = numbers(
    Array.from({ length: K * 24 }, (_, i) => (i % 24 < 12 ? 0 : 1 + (i % 5))),
    [K, 24],
  )
  for (const symmetric of [true, false]) {
    const { written } = await made(
      { ...float, constants: new Map([['w', w]]) },
      { weights: { type: 'uint4', group: 16, symmetric }, activations: 'block' },
    )
    const { real } = realWeights(written)
    expect(numbersOf(w).every((v, i) => v !== 0 || real[i] === 0)).toBe(true)
  }
})

test('float activations are said in the file, those of blocks are not', async () => {
  const float = (models.MatMul as () => Graph)()
  const said = async (activations: 'float' | 'block') =>
    (await made(float, { weights: { type: 'int4', group: 32 }, activations })).metadata[
      'octavo.block_activations'
    ]
  expect([await said('float'), await said('block')]).toEqual(['float', undefined])
})

test('what is not quantized is listed with its reason', async () => {
  const float = graph({
    inputs: { x: [3, K], z: [K, 5] },
    outputs: ['y'],
    nodes: [
      node('a = MatMul(x, w)'),
      node('b = MatMul(a, small)'),
      node('c = MatMul(b, stack)'),
      node('d = MatMul(c, e)'),
      node('r = Relu(d)'),
      node('e = MatMul(w3, z)'),
      node('y = MatMul(r, w2)'),
    ].sort((p, q) => Number(q.name === 'MatMul:e') - Number(p.name === 'MatMul:e')),
    constants: {
      w: noise(K, 24),
      small: noise(24, 1),
      stack: noise(2, 1, K),
      w3: noise(K, K),
      w2: noise(5, 64),
    },
  })
  const { report } = await made(float, { preset: 'int4-weights', exclude: ['MatMul:y'] })
  const reasons = Object.fromEntries(report.float.map(({ node: name, reason }) => [name, reason]))
  expect(reasons).toEqual({
    'MatMul:b': 'its 24 weights would take no less in int4',
    'MatMul:c': 'its weights are not one matrix',
    'MatMul:d': 'its weights are not constants',
    'MatMul:e': 'its weights are not constants',
    'MatMul:y': 'excluded by the recipe',
    'Relu:r': 'its activations are float',
  })
  expect(report.products).toMatchObject({ integer: 0, weightOnly: 1, total: 6 })
  expect(report.weights.map(({ node: name, group, bitsPerWeight }) => [name, group, bitsPerWeight])).toEqual([
    ['MatMul:a', 32, 5.2],
  ])
  expect(report.check).toBeUndefined()
})

test('no samples: static activations say what they need, and rules are asked too', async () => {
  const file = fileOf((models.MatMul as () => Graph)())
  await expect(quantize(file)).rejects.toThrow(
    /'options.data' is missing: activations of type 'int8' need samples/,
  )
  const rules = [
    {
      match: { opType: 'MatMul' },
      weights: { granularity: 'channel' as const },
      activations: 'uint8' as const,
    },
  ]
  await expect(quantize(file, { preset: 'int4-weights', rules })).rejects.toThrow(/'uint8' need samples/)
})

test('samples serve the check', async () => {
  const float = (models.MatMul as () => Graph)()
  const data = [{ x: { type: 'float32', dims: [3, K], data: floatsOf(noise(3, K)) } }]
  const { report } = await made(float, { preset: 'int4-weights', data })
  expect(report.check?.outputs[0]?.sqnr).toBeGreaterThan(10)
})
