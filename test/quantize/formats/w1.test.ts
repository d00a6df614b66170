/** Weights of 1 bit: the signs and mean magnitudes of the float ones, a bit each in the file, and the same answers elsewhere. */
import { describe, expect, test } from 'vitest'
import { type ConstantTensor, type Graph, intAttribute } from '../../../lib/graph/graph.js'
import { elementCount, floatsOf, numbersOf } from '../../../lib/graph/tensor.js'
import { explain, InferenceSession, inspect, Tensor } from '../../../lib/index.js'
import { readModel } from '../../../lib/onnx/index.js'
import { type QuantizeOptions, quantize } from '../../../lib/quantize/index.js'
import { openReference, reference } from '../../models/reference.js'
import { graph, node, noise, numbers } from '../graphs.js'
import { fileOf, samplesOf, variedNet } from '../model.js'

const K = 200

/** Products with scales along each axis. */
const models: Readonly<Record<string, () => Graph>> = {
  MatMul: () => rows([node('m = MatMul(x, w)'), node('y = Add(m, b)')], [K, 24]),
  'a stack of MatMul': () => rows([node('m = MatMul(x, w)'), node('y = Add(m, b)')], [2, K, 24], [2, 3, K]),
  Gemm: () => rows([node('y = Gemm(x, w, b)', { alpha: 0.5, beta: 2 })], [K, 24]),
  'Gemm transB': () => rows([node('y = Gemm(x, w, b)', { transB: 1 })], [24, K]),
  Conv: () => spatial('y = Conv(x, w, b)', { pads: [1, 1, 1, 1], group: 2 }, [12, 4, 3, 3]),
  ConvTranspose: () => spatial('y = ConvTranspose(x, w, b)', {}, [8, 12, 3, 3]),
}

function rows(nodes: Graph['nodes'], w: readonly number[], x: readonly number[] = [3, K]): Graph {
  return graph({ inputs: { x }, outputs: ['y'], nodes, constants: { w: noise(...w), b: noise(24) } })
}

function spatial(text: string, attributes: Parameters<typeof node>[1], w: readonly number[]): Graph {
  const nodes = [node(text, attributes)]
  return graph({
    inputs: { x: [1, 8, 9, 9] },
    outputs: ['y'],
    nodes,
    constants: { w: noise(...w), b: noise(12) },
  })
}

function feedsOf(float: Graph, count = 8): { readonly x: Tensor }[] {
  const dims = (float.types.get('x')?.shape ?? []) as number[]
  return Array.from({ length: count }, () => ({ x: new Tensor('float32', floatsOf(noise(...dims)), dims) }))
}

async function made(float: Graph, options: QuantizeOptions) {
  const result = await quantize(fileOf(float), { check: 'off', biasCorrection: false, ...options })
  return { ...result, written: (await readModel(result.model)).graph }
}

async function answer(model: Uint8Array, x: Tensor): Promise<Float32Array> {
  const session = await InferenceSession.create(model)
  const { y } = await session.run({ x })
  await session.release()
  return y?.data as Float32Array
}

/** Levels and scales of the DequantizeLinear of weights, one after the other. */
function storedWeights({ nodes, constants }: Graph) {
  return nodes.flatMap((n) => {
    const [levels, scale] = n.inputs.map((name) => constants.get(name))
    if (n.opType !== 'DequantizeLinear' || levels?.dtype !== 'int8' || !scale) return []
    return [
      {
        dims: levels.dims,
        axis: intAttribute(n, 'axis', 1),
        levels: numbersOf(levels),
        scales: floatsOf(scale),
      },
    ]
  })
}

/** The same float graph with the weights that two levels make of `w`: sign and mean magnitude of those that share a scale. */
function referenceOf(float: Graph, axis: number | undefined): Graph {
  const w = float.constants.get('w') as ConstantTensor
  const values = floatsOf(w)
  const inner = axis === undefined ? 1 : elementCount(w.dims.slice(axis + 1))
  const channelOf = (i: number) => (axis === undefined ? 0 : Math.floor(i / inner) % (w.dims[axis] as number))
  const sums = new Map<number, { sum: number; count: number }>()
  values.forEach((v, i) => {
    const { sum, count } = sums.get(channelOf(i)) ?? { sum: 0, count: 0 }
    sums.set(channelOf(i), { sum: sum + Math.abs(v), count: count + 1 })
  })
  const real = Array.from(values, (v, i) => {
    const { sum, count } = sums.get(channelOf(i)) as { sum: number; count: number }
    return (v < 0 ? -1 : 1) * Math.fround(sum / count)
  })
  return { ...float, constants: new Map([...float.constants, ['w', numbers(real, w.dims)]]) }
}

const largest = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs))
const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  largest(Array.from(a, (v, i) => v - (b[i] as number)))

const axes: Readonly<Record<string, number>> = { MatMul: 1, Gemm: 1, 'Gemm transB': 0, Conv: 0 }
const forced = [{ match: { pattern: '.' }, exclude: false }]

describe.each(Object.keys(models))('%s', (kind) => {
  const axis = axes[kind]
  test.each([
    ['int8', 'channel'],
    ['uint8', 'channel'],
    ['int8', 'tensor'],
    ['int16', 'channel'],
    ['float', 'channel'],
    ['float', 'tensor'],
    ['block', 'channel'],
    ['dynamic', 'channel'],
  ] as const)('activations %s, a scale for each %s', async (activations, granularity) => {
    const float = (models[kind] as () => Graph)()
    const data = feedsOf(float)
    const options = { data, weights: { type: 'w1', granularity }, activations, rules: forced } as const
    const stack = kind === 'a stack of MatMul'
    // Products of several matrices have static activations alone.
    if (stack && !['int8', 'uint8', 'int16'].includes(activations)) {
      const { report } = await made(float, { ...options, force: true })
      expect(report.float.map(({ reason }) => reason)).toContain('its weights are not one matrix')
      return
    }
    const { model, written, report } = await made(float, options)
    const isStatic = ['int8', 'uint8', 'int16'].includes(activations)
    expect(report.products).toMatchObject({ integer: isStatic ? 1 : 0, weightOnly: isStatic ? 0 : 1 })
    const [weights] = storedWeights(written).filter(({ dims }) => dims.length > 0)
    const w = float.constants.get('w') as ConstantTensor
    expect(weights?.dims).toEqual(w.dims)
    expect([...new Set(weights?.levels)].sort()).toEqual([-1, 1])
    const channels = granularity === 'tensor' || axis === undefined ? 1 : (w.dims[axis] as number)
    expect(weights?.scales.length).toBe(channels)
    const [told] = report.weights
    expect(told).toMatchObject({ type: 'w1', scales: channels })
    expect(told?.bitsPerWeight).toBeLessThan(2 + (64 * channels) / elementCount(w.dims))

    const real = fileOf(referenceOf(float, granularity === 'tensor' ? undefined : axis))
    const { x } = feedsOf(float, 1)[0] as { readonly x: Tensor }
    const [got, want] = [await answer(model, x), await answer(real, x)]
    const tolerance = activations === 'float' ? 1e-5 : activations === 'int16' ? 1e-3 : 0.03
    expect(apart(got, want)).toBeLessThan(tolerance * largest(want))
    if (isStatic) {
      const { nodes } = await explain(model)
      const products = nodes.filter((n) => /^(MatMul|Gemm|Conv|ConvTranspose)$/.test(n.opType))
      expect(products.map((n) => n.kind)).toEqual(['integer'])
    }
    if (!reference) return
    const session = await openReference(model)
    const { y } = await session.run({
      x: { type: 'float32', data: x.data as Float32Array, dims: [...x.dims] },
    })
    await session.release()
    // Other runtimes multiply floats: a static result is a level off where a rounding falls the other way.
    const near = activations === 'block' || activations === 'dynamic' ? tolerance : isStatic ? 5e-3 : 1e-5
    expect(apart(got, y?.data as Float32Array)).toBeLessThan(near * largest(want))
  })
})

test('the file has a bit for each weight', async () => {
  const float = rows([node('y = Gemm(x, w, b)', { transB: 1 })], [512, K], [3, K])
  const bytes = async (type: 'int8' | 'w1') =>
    (
      await made(
        { ...float, constants: new Map([...float.constants, ['b', noise(512)]]) },
        {
          data: feedsOf(float),
          weights: { type },
        },
      )
    ).model.length
  const saved = (await bytes('int8')) - (await bytes('w1'))
  // Two numbers a channel in place of one and a zero point, and the functions.
  expect(saved).toBeGreaterThan((512 * K * 7) / 8 - 512 * 3 - 3000)
})

test('two products in a row stay integer with what is fused to them, and mean the same in onnxruntime', async () => {
  const options = { data: samplesOf(8), weights: { type: 'w1' } } as const
  const { model, written, report } = await made(variedNet(), options)
  expect(report.products).toMatchObject({ integer: 3, total: 3 })
  const producers = new Map(written.nodes.flatMap((n) => n.outputs.map((v) => [v, n])))
  const products = written.nodes.filter(({ opType }) => opType === 'Conv' || opType === 'Gemm')
  expect(products.length).toBe(3)
  for (const { opType, inputs } of written.nodes) {
    if (opType !== 'QuantizeLinear') continue
    expect(['Conv', 'Gemm', 'Relu']).not.toContain(producers.get(inputs[0] ?? '')?.opType)
  }
  const { nodes } = await explain(model)
  const kinds = nodes.filter((n) => n.opType === 'Conv' || n.opType === 'Gemm').map((n) => [n.kind, n.form])
  expect(kinds.map(([kind]) => kind)).toEqual(['integer', 'integer', 'integer'])
  if (!reference) return
  const session = await openReference(model)
  for (const { x } of samplesOf(4, 1, 77)) {
    const got = await answer(model, x)
    const { y } = await session.run({
      x: { type: 'float32', data: x.data as Float32Array, dims: [...x.dims] },
    })
    expect(apart(got, y?.data as Float32Array)).toBeLessThan(0.03 * largest(got))
  }
  await session.release()
})

/** Sign before every product, weights that are -s and s in each channel, thresholds between. */
function signNet(): Graph {
  const signs = (dims: number[], scaleOf: (i: number) => number) =>
    numbers(
      Array.from(floatsOf(noise(...dims)), (v, i) => Math.fround((v < 0 ? -1 : 1) * scaleOf(i))),
      dims,
    )
  return graph({
    inputs: { x: [2, 3, 8, 8] },
    outputs: ['y'],
    nodes: [
      node('s0 = Sign(x)'),
      node('c1 = Conv(s0, w1, b1)', { pads: [1, 1, 1, 1] }),
      node('s1 = Sign(c1)'),
      node('p1 = MaxPool(s1)', { kernel_shape: [2, 2], strides: [2, 2] }),
      node('f = Flatten(p1)'),
      node('m2 = MatMul(f, w2)'),
      node('t2 = Sub(m2, b2)'),
      node('s2 = Sign(t2)'),
      node('y = MatMul(s2, w3)'),
    ],
    constants: {
      w1: signs([20, 3, 3, 3], (i) => 0.1 + (Math.floor(i / 27) % 20)),
      b1: numbers(Array.from({ length: 20 }, (_, i) => (0.1 + i) * (2 * (i % 3) - 2.5))),
      w2: signs([320, 32], () => 0.3),
      b2: numbers(Array.from({ length: 32 }, (_, i) => 0.6 * (i % 5) - 1.3)),
      w3: signs([32, 10], () => 1),
    },
  })
}

describe('networks of signs', () => {
  test.each(['int8', 'float'] as const)(
    'keep weights and activations, %s: bits are counted',
    async (type) => {
      const float = signNet()
      const data = feedsOf(float)
      const { model, report, written } = await made(float, {
        data,
        weights: { type: 'w1' },
        activations: type,
      })
      expect(report.products).toMatchObject({ integer: 3, weightOnly: 0, total: 3 })
      expect(report.integer.map(({ reason }) => reason)).toEqual(
        Array(3).fill('a product of signs, which counts bits'),
      )
      expect(written.nodes.filter(({ opType }) => opType === 'QuantizeLinear')).toEqual([])
      for (const [i, { levels, scales, axis, dims }] of storedWeights(written).entries()) {
        const inner = elementCount(dims.slice(axis + 1))
        const w = floatsOf(float.constants.get(`w${i + 1}`) as ConstantTensor)
        const real = levels.map((q, j) => q * (scales[Math.floor(j / inner) % scales.length] as number))
        expect([...real]).toEqual([...w])
      }
      const { nodes } = await explain(model)
      const forms = nodes
        .filter(({ opType }) => opType === 'Conv' || opType === 'MatMul')
        .map(({ form }) => form)
      expect(forms).toEqual(Array(3).fill('integer 1-bit, activations of 1 bit'))
      const { x } = data[0] as { readonly x: Tensor }
      const got = await answer(model, x)
      expect(got).toEqual(await answer(fileOf(float), x))
      if (!reference) return
      const session = await openReference(model)
      const { y } = await session.run({
        x: { type: 'float32', data: x.data as Float32Array, dims: [...x.dims] },
      })
      await session.release()
      expect(apart(got, y?.data as Float32Array)).toBeLessThan(1e-5 * largest(got))
    },
  )

  test('are quantized as others where a rule gives a product other weights', async () => {
    const float = signNet()
    const rules = [{ match: { node: 'MatMul:y' }, weights: { type: 'int8' }, exclude: false }] as const
    const { report } = await made(float, { data: feedsOf(float), weights: { type: 'w1' }, rules })
    expect(report.weights.map(({ node: name, type }) => `${name} ${type}`).sort()).toEqual([
      'Conv:c1 w1',
      'MatMul:m2 w1',
      'MatMul:y int8',
    ])
  })
})

test('weights that are all 0 in a channel, and infinite ones', async () => {
  const float = rows([node('y = Gemm(x, w, b)', { transB: 1 })], [24, K])
  const w = floatsOf(float.constants.get('w') as ConstantTensor)
    .slice()
    .fill(0, 0, K)
  const withWeights = (values: ArrayLike<number>) => ({
    ...float,
    constants: new Map([...float.constants, ['w', numbers(Array.from(values), [24, K])]]),
  })
  const data = feedsOf(float)
  for (const activations of ['int8', 'float'] as const) {
    const options = { data, weights: { type: 'w1' }, activations, rules: forced } as const
    const { model } = await made(withWeights(w), options)
    const { x } = data[0] as { readonly x: Tensor }
    const got = await answer(model, x)
    const b = floatsOf(float.constants.get('b') as ConstantTensor)
    expect(Math.abs((got[0] as number) - (b[0] as number))).toBeLessThan(0.02 * largest(got))
    const bad = w.slice()
    bad[5] = Number.POSITIVE_INFINITY
    await expect(
      made(withWeights(bad), { ...options, data: undefined, activations: 'float' }),
    ).rejects.toMatchObject({ code: 'ERR_MODEL_INVALID' })
  }
})

test.each([
  [
    { type: 'w1', group: 32 },
    /Option 'weights.granularity': expected 'channel' or 'tensor' beside type 'w1'/,
  ],
  [{ type: 'w1', symmetric: false }, /Option 'weights.symmetric': expected true beside type 'w1'/],
  [{ type: 'w1', range: 'minmax' }, /Option 'weights.range': expected 'mse' beside type 'w1'/],
  [{ type: 'w1', levels: 'narrow' }, /Option 'weights.levels': expected full, the two levels of w1/],
  [{ type: 'w1', levels: { qmin: -1, qmax: 1 } }, /Option 'weights.levels': expected full/],
] as const)('%o is refused', async (weights, message) => {
  await expect(quantize(fileOf(signNet()), { weights, activations: 'float' })).rejects.toThrow(message)
})

test("file 'nbits' has no weights of 1 bit, and the report says so", async () => {
  const float = rows([node('y = MatMul(x, w)')], [K, 24])
  const { report } = await made(float, { weights: { type: 'w1' }, activations: 'float', file: 'nbits' })
  expect(report.weights[0]).toMatchObject({
    file: 'dq',
    fileReason: 'no operator of onnxruntime has weights of 1 bit',
  })
})

test('inspect has the bits that weights take in the file', async () => {
  const float = rows([node('y = Gemm(x, w, b)', { transB: 1 })], [24, K])
  const { model, report } = await made(float, { weights: { type: 'w1' }, activations: 'float' })
  const { weights } = await inspect(model)
  const found = weights.filter(({ shape }) => shape.length === 2)
  expect(found.map(({ type, shape }) => [type, shape])).toEqual([['int8', [24, K]]])
  // Sizes are two integers of 64 bits.
  expect(found[0]?.fileBits).toBeCloseTo((report.weights[0]?.bitsPerWeight ?? 0) + 128 / (24 * K), 3)
})
