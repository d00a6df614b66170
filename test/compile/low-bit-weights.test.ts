/** QDQ models whose weights have fewer than 8 bits run in integers, and give what the same weights give as int8. */
import { describe, expect, test } from 'vitest'
import { FORMATS, type Format } from '../../lib/graph/format.js'
import { packBits } from '../../lib/graph/tensor.js'
import { explain, InferenceSession, Tensor } from '../../lib/index.js'
import { type AttributeInit, floatTensor, int, ints, modelBytes, node, value } from '../helpers/model.js'

const TYPES = { int8: 3, int4: 22, uint4: 21, int2: 26, uint2: 25 } as const
type WeightType = keyof typeof TYPES

interface Layer {
  readonly op: string
  readonly x: number[]
  readonly w: number[]
  /** Axis of the output channels in w. */
  readonly axis: number
  readonly channels: number
  readonly attributes: AttributeInit[]
}

const pads = ints('pads', [1, 1, 1, 1])
const LAYERS: Record<string, Layer> = {
  conv: { op: 'Conv', x: [1, 5, 6, 7], w: [9, 5, 3, 3], axis: 0, channels: 9, attributes: [pads] },
  grouped: {
    ...{ op: 'Conv', x: [1, 6, 5, 5], w: [4, 3, 3, 3], axis: 0, channels: 4 },
    attributes: [pads, int('group', 2)],
  },
  depthwise: {
    ...{ op: 'Conv', x: [1, 7, 6, 6], w: [7, 1, 3, 3], axis: 0, channels: 7 },
    attributes: [pads, int('group', 7)],
  },
  transposed: {
    ...{ op: 'ConvTranspose', x: [1, 5, 4, 4], w: [5, 3, 2, 2], axis: 1, channels: 3 },
    attributes: [ints('strides', [2, 2])],
  },
  matmul: { op: 'MatMul', x: [3, 11], w: [11, 5], axis: 1, channels: 5, attributes: [] },
  gemm: { op: 'Gemm', x: [3, 11], w: [5, 11], axis: 0, channels: 5, attributes: [int('transB', 1)] },
}

/** A copy whose buffer is its own. */
const packed = (levels: number[], format: Format) => Uint8Array.from(packBits(levels, format))
const size = (dims: number[]) => dims.reduce((p, d) => p * d, 1)
/** Numbers without a pattern, the same for every type. */
const level = (i: number, low: number, high: number) => low + ((i * 7919 + 13) % (high - low + 1))

interface Form {
  readonly perChannel: boolean
  readonly quantizedOutput: boolean
}

/** The layer with levels of `like`, stored as `stored`. */
function model(
  { op, x, w, axis, channels, attributes }: Layer,
  like: WeightType,
  stored: WeightType,
  form: Form,
) {
  const { qmin, qmax } = FORMATS[like]
  const parameters = form.perChannel ? channels : 1
  const dims = form.perChannel ? [channels] : []
  const levels = (name: string, tensorDims: number[], count: number, seed: number) => ({
    ...{ name, dataType: TYPES[stored], dims: tensorDims.map(BigInt) },
    rawData: packed(
      Array.from({ length: count }, (_, i) => level(i + seed, qmin, qmax)),
      FORMATS[stored],
    ),
  })
  const output = form.quantizedOutput
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
        ...[floatTensor('x_scale', [], [0.02]), floatTensor('y_scale', [], [0.013])],
        { name: 'x_zero', dataType: 2, dims: [], rawData: Uint8Array.of(119) },
        { name: 'y_zero', dataType: 2, dims: [], rawData: Uint8Array.of(131) },
        levels('w', w, size(w), 0),
        floatTensor(
          'w_scale',
          dims,
          Array.from({ length: parameters }, (_, i) => 0.01 * (i + 1)),
        ),
        levels('w_zero', dims, parameters, 5),
      ],
      node: [
        node('QuantizeLinear', ['x', 'x_scale', 'x_zero'], ['x_q']),
        node('DequantizeLinear', ['x_q', 'x_scale', 'x_zero'], ['x_dq']),
        node('DequantizeLinear', ['w', 'w_scale', 'w_zero'], ['w_dq'], [int('axis', axis)]),
        node(op, ['x_dq', 'w_dq'], [form.quantizedOutput ? 'sum' : 'y'], attributes),
        ...output,
      ],
    },
    25,
  )
}

async function outputOf(bytes: Uint8Array, dims: number[], optimized = true): Promise<Float32Array> {
  const options = optimized ? {} : ({ graphOptimizationLevel: 'disabled' } as const)
  await using session = await InferenceSession.create(bytes, options)
  const data = Float32Array.from({ length: size(dims) }, (_, i) => Math.sin(i) * 2)
  return (await session.run({ x: new Tensor('float32', data, dims) })).y?.data as Float32Array
}

describe.each(['int4', 'uint4', 'int2', 'uint2'] as const)('%s', (type) => {
  test.each(Object.keys(LAYERS))('%s runs in integers and gives the bits of int8', async (name) => {
    const layer = LAYERS[name] as Layer
    for (const perChannel of [true, false])
      for (const quantizedOutput of [true, false]) {
        const form = { perChannel, quantizedOutput }
        const bytes = model(layer, type, type, form)
        const { operators } = await explain(bytes)
        expect(operators[layer.op]).toMatchObject({ integer: 1, float: 0 })
        const got = await outputOf(bytes, layer.x)
        expect(got).toEqual(await outputOf(model(layer, type, 'int8', form), layer.x))
        expect(new Set(got).size).toBeGreaterThan(4)
        // What the file says: the same up to the last step of the output's scale, or rounding of a float sum.
        const want = await outputOf(bytes, layer.x, false)
        const tolerance = quantizedOutput ? 0.01301 : 1e-4
        got.forEach((v, i) => void expect(Math.abs(v - (want[i] as number))).toBeLessThanOrEqual(tolerance))
      }
  })
})
