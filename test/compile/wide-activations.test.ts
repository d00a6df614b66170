/** QDQ models with 16-bit activations run in integers, and give the levels of exact sums, requantized once. */
import { describe, expect, test } from 'vitest'
import { FORMATS, type Format, roundHalfEven } from '../../lib/graph/format.js'
import { packBits } from '../../lib/graph/tensor.js'
import { explain, InferenceSession, Tensor } from '../../lib/index.js'
import { type AttributeInit, floatTensor, int, ints, modelBytes, node, value } from '../helpers/model.js'
import { reference } from '../models/reference.js'

const TYPES = { int8: 3, uint8: 2, int4: 22, uint4: 21, uint16: 4, int16: 5 } as const
type LevelType = keyof typeof TYPES

const size = (dims: number[]) => dims.reduce((p, d) => p * d, 1)
/** Numbers without a pattern. */
const level = (i: number, { qmin, qmax }: Format) => qmin + ((i * 7919 + 13) % (qmax - qmin + 1))

function levels(name: string, type: LevelType, dims: number[], of: number[]) {
  const format = FORMATS[type]
  const { buffer } = format.bits === 16 ? Uint16Array.from(of) : Uint8Array.from(of)
  const rawData = format.bits < 8 ? Uint8Array.from(packBits(of, format)) : new Uint8Array(buffer)
  return { name, dataType: TYPES[type], dims: dims.map(BigInt), rawData }
}

interface Layer {
  readonly op: string
  readonly x: number[]
  readonly w: number[]
  /** Axis of the output channels in w. */
  readonly axis: number
  readonly attributes: AttributeInit[]
}

const pads = ints('pads', [1, 1, 1, 1])
const LAYERS: Record<string, Layer> = {
  conv: { op: 'Conv', x: [1, 5, 6, 7], w: [9, 5, 3, 3], axis: 0, attributes: [pads] },
  pointwise: { op: 'Conv', x: [2, 16, 3, 4], w: [10, 16, 1, 1], axis: 0, attributes: [] },
  grouped: { op: 'Conv', x: [1, 6, 5, 5], w: [4, 3, 3, 3], axis: 0, attributes: [pads, int('group', 2)] },
  depthwise: { op: 'Conv', x: [1, 7, 6, 6], w: [7, 1, 3, 3], axis: 0, attributes: [pads, int('group', 7)] },
  transposed: {
    ...{ op: 'ConvTranspose', x: [1, 5, 4, 4], w: [5, 3, 2, 2], axis: 1 },
    attributes: [ints('strides', [2, 2])],
  },
  matmul: { op: 'MatMul', x: [2, 3, 11], w: [11, 5], axis: 1, attributes: [] },
  gemm: { op: 'Gemm', x: [3, 11], w: [5, 11], axis: 0, attributes: [int('transB', 1)] },
}

interface Form {
  readonly x: 'uint16' | 'int16'
  readonly w: LevelType
  readonly y: 'uint16' | 'int16' | 'uint8' | undefined
  readonly perChannel: boolean
}

const ZEROS = { uint16: 31234, int16: -57, uint8: 131, int8: -3, int4: 1, uint4: 9 }
const X_SCALE = Math.fround(6.1e-5)
const Y_SCALE = { uint16: Math.fround(1.7e-4), int16: Math.fround(1.7e-4), uint8: Math.fround(0.031) }

/** Q -> DQ -> layer (-> Q -> DQ); of weights the levels count from 0 on. */
function model({ op, x, w, axis, attributes }: Layer, form: Form): Uint8Array {
  const channels = form.perChannel ? (w[axis] as number) : 1
  const dims = form.perChannel ? [channels] : []
  const zeros = Array.from({ length: channels }, () => ZEROS[form.w])
  const y = form.y
  const output = y
    ? [
        node('QuantizeLinear', ['sum', 'y_scale', 'y_zero'], ['y_q']),
        node('DequantizeLinear', ['y_q', 'y_scale', 'y_zero'], ['y']),
      ]
    : []
  return modelBytes(
    {
      name: 'g',
      input: [value('x', x)],
      output: [value('y', undefined)],
      initializer: [
        floatTensor('x_scale', [], [X_SCALE]),
        levels('x_zero', form.x, [], [ZEROS[form.x]]),
        ...(y ? [floatTensor('y_scale', [], [Y_SCALE[y]]), levels('y_zero', y, [], [ZEROS[y]])] : []),
        levels('w', form.w, w, weightLevels(w, form)),
        floatTensor('w_scale', dims, weightScales(channels)),
        levels('w_zero', form.w, dims, zeros),
      ],
      node: [
        node('QuantizeLinear', ['x', 'x_scale', 'x_zero'], ['x_q']),
        node('DequantizeLinear', ['x_q', 'x_scale', 'x_zero'], ['x_dq']),
        node('DequantizeLinear', ['w', 'w_scale', 'w_zero'], ['w_dq'], [int('axis', axis)]),
        node(op, ['x_dq', 'w_dq'], [y ? 'sum' : 'y'], attributes),
        ...output,
      ],
    },
    21,
  )
}

const weightLevels = (w: number[], form: Form) =>
  Array.from({ length: size(w) }, (_, i) => level(i, FORMATS[form.w]))
const weightScales = (count: number) => Array.from({ length: count }, (_, i) => Math.fround(0.01 + 0.002 * i))
const inputOf = (dims: number[]) => Float32Array.from({ length: size(dims) }, (_, i) => Math.sin(i) * 2)

async function outputOf(bytes: Uint8Array, dims: number[], optimized = true): Promise<Float32Array> {
  const options = optimized ? {} : ({ graphOptimizationLevel: 'disabled' } as const)
  await using session = await InferenceSession.create(bytes, options)
  const outputs = await session.run({ x: new Tensor('float32', inputOf(dims), dims) })
  return Object.values(outputs)[0]?.data as Float32Array
}

const forms: Form[] = (['uint16', 'int16'] as const).flatMap((x) =>
  ([undefined, 'uint16', 'int16', 'uint8'] as const).flatMap((y) =>
    (['int8', 'uint8', 'int4'] as const).map((w, i) => ({ x, w, y, perChannel: i !== 1 })),
  ),
)

describe.each(Object.keys(LAYERS))('%s of 16-bit activations', (name) => {
  const layer = LAYERS[name] as Layer
  test.each(forms)('runs in integers: $x, weights $w, output $y', async (form) => {
    const bytes = model(layer, form)
    const { operators } = await explain(bytes)
    expect(operators[layer.op]).toMatchObject({ integer: 1, float: 0 })
    const got = await outputOf(bytes, layer.x)
    const real = await outputOf(bytes, layer.x, false)
    // Real sums in float32 are another order of additions: a level more or less.
    const tolerance = form.y ? Y_SCALE[form.y] * 1.01 : 2e-5
    got.forEach((v, i) => {
      expect(Math.abs(v - (real[i] as number))).toBeLessThanOrEqual(tolerance)
    })
  })
})

describe.skipIf(!reference)('beside onnxruntime-node, which computes in float', () => {
  test.each(Object.keys(LAYERS))('%s is a level apart at most', async (name) => {
    const layer = LAYERS[name] as Layer
    for (const form of forms) {
      const bytes = model(layer, form)
      const session = await reference?.InferenceSession.create(bytes)
      const feeds = { x: new Tensor('float32', inputOf(layer.x), layer.x) }
      const want = (await session?.run(feeds as never))?.y?.data as Float32Array
      const tolerance = form.y ? Y_SCALE[form.y] * 1.01 : 2e-5
      const got = await outputOf(bytes, layer.x)
      expect(got.length).toBe(want.length)
      got.forEach((v, i) => {
        expect(Math.abs(v - (want[i] as number))).toBeLessThanOrEqual(tolerance)
      })
    }
  })
})

test.each(forms.filter(({ y }) => y))('levels of $x by $w to $y are those of exact sums', async (form) => {
  const layer = LAYERS.matmul as Layer
  const got = await outputOf(model(layer, form), layer.x)
  const y = form.y as 'uint16' | 'int16' | 'uint8'
  const [rows, k, n] = [6, 11, 5]
  const w = weightLevels(layer.w, form)
  const scales = weightScales(n)
  const { qmin, qmax } = FORMATS[form.x]
  const x = Array.from(inputOf(layer.x), (v) => {
    const q = roundHalfEven(Math.fround(v / X_SCALE))
    return Math.min(qmax - ZEROS[form.x], Math.max(qmin - ZEROS[form.x], q))
  })
  for (let r = 0; r < rows; ++r)
    for (let c = 0; c < n; ++c) {
      let sum = 0
      for (let i = 0; i < k; ++i) sum += (x[r * k + i] as number) * ((w[i * n + c] as number) - ZEROS[form.w])
      const scale = scales[form.perChannel ? c : 0] as number
      const m = Math.fround(Math.fround(X_SCALE * scale) / Y_SCALE[y])
      const format = FORMATS[y]
      const bounded = Math.min(format.qmax - ZEROS[y], Math.max(format.qmin - ZEROS[y], sum * m))
      expect(got[r * n + c]).toBe(Math.fround(roundHalfEven(bounded) * Y_SCALE[y]))
    }
})

/** Conv -> Relu -> MaxPool -> Transpose -> Reshape -> Gemm, and a sum of real numbers, all of 16 bits. */
function network(): Uint8Array {
  const quantized = (from: string, scale: string) => [
    node('QuantizeLinear', [from, scale, 'zero'], [`${from}_q`]),
    node('DequantizeLinear', [`${from}_q`, scale, 'zero'], [`${from}_dq`]),
  ]
  const format = FORMATS.int8
  const weights = (count: number) => Array.from({ length: count }, (_, i) => level(i, format))
  return modelBytes(
    {
      name: 'g',
      input: [value('x', [1, 3, 6, 6])],
      output: [value('sum_dq', undefined)],
      initializer: [
        floatTensor('s', [], [1e-4]),
        levels('zero', 'uint16', [], [32768]),
        floatTensor('t', [], [2e-4]),
        floatTensor('w_scale', [], [0.01]),
        ...[levels('w', 'int8', [4, 3, 3, 3], weights(108)), levels('v', 'int8', [36, 8], weights(288))],
        floatTensor('bias', [4], [0.5, -0.25, 0.125, -1]),
        { name: 'shape', dataType: 7, dims: [2n], int64Data: [1n, 36n] },
      ],
      node: [
        ...quantized('x', 's'),
        node('DequantizeLinear', ['w', 'w_scale'], ['w_dq']),
        node('Conv', ['x_dq', 'w_dq', 'bias'], ['c'], [pads]),
        node('Relu', ['c'], ['r']),
        ...quantized('r', 't'),
        node('MaxPool', ['r_dq'], ['m'], [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])]),
        ...quantized('m', 't'),
        node('Transpose', ['m_dq'], ['p'], [ints('perm', [0, 2, 3, 1])]),
        node('Reshape', ['p', 'shape'], ['f']),
        node('DequantizeLinear', ['v', 'w_scale'], ['v_dq']),
        node('Gemm', ['f', 'v_dq'], ['g']),
        ...quantized('g', 't'),
        node('Add', ['g_dq', 'g_dq'], ['sum']),
        ...quantized('sum', 't'),
      ],
    },
    21,
  )
}

test('what moves 16-bit tensors moves levels, Relu is a bound, and sums say why they are real', async () => {
  const bytes = network()
  const { operators, nodes } = await explain(bytes)
  for (const op of ['Conv', 'Gemm', 'Relu', 'MaxPool']) expect(operators[op]).toMatchObject({ float: 0 })
  expect(operators.Add).toMatchObject({ float: 1 })
  expect(nodes.find(({ opType }) => opType === 'Add')?.reason).toBe(
    'of 16-bit activations only products have an integer form',
  )
  const [got, want] = [await outputOf(bytes, [1, 3, 6, 6]), await outputOf(bytes, [1, 3, 6, 6], false)]
  got.forEach((v, i) => {
    expect(Math.abs(v - (want[i] as number))).toBeLessThanOrEqual(3 * 2e-4)
  })
})
