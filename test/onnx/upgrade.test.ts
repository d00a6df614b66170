import { describe, expect, test } from 'vitest'
import { printGraph } from '../../lib/graph/print.js'
import { problemsOf } from '../../lib/graph/verify.js'
import { readModel } from '../../lib/onnx/index.js'
import {
  type AttributeInit,
  FLOAT,
  float,
  floats,
  floatTensor,
  int,
  ints,
  modelBytes,
  node,
  text,
  value,
} from '../helpers/model.js'

const FLOAT16 = 10

/** The text of a model of one node, its constants and nodes only. */
async function upgraded(
  opType: string,
  opset: number,
  attributes: AttributeInit[],
  { outputs = ['y'], inputs = ['x'], type = FLOAT, dims = undefined as undefined | number[] } = {},
): Promise<string[]> {
  const bytes = modelBytes(
    {
      name: 'g',
      input: [value('x', dims, type)],
      output: outputs.filter(Boolean).map((name) => value(name, undefined, type)),
      initializer: [floatTensor('half', [4], [1, 1, 0.5, 0.5])],
      node: [node(opType, inputs, outputs, attributes, 'n')],
    },
    opset,
  )
  const { graph } = await readModel(bytes)
  expect(problemsOf(graph)).toEqual([])
  const lines = printGraph(graph, { names: false }).trimEnd().split('\n').slice(1)
  return lines.map((line) => line.trim()).filter((line) => !line.startsWith('half'))
}

describe('operators of older opsets take the form of opset 21', () => {
  test('attributes that became inputs', async () => {
    expect(await upgraded('ReduceMean', 17, [ints('axes', [-1]), int('keepdims', 0)])).toEqual([
      'n/axes: int64[1] = -1',
      'y = ReduceMean(x, n/axes) {keepdims=0}',
    ])
    expect(await upgraded('ReduceSum', 13, [])).toEqual(['y = ReduceSum(x)'])
    expect(await upgraded('Unsqueeze', 11, [ints('axes', [0, 2])])).toEqual([
      'n/axes: int64[2] = 0 2',
      'y = Unsqueeze(x, n/axes)',
    ])
    expect(await upgraded('Clip', 10, [float('max', 6)])).toEqual([
      'n/max: float32[] = 6',
      'y = Clip(x, _, n/max)',
    ])
    expect(await upgraded('Slice', 9, [ints('starts', [1]), ints('ends', [2])])).toEqual([
      'n/starts: int64[1] = 1',
      'n/ends: int64[1] = 2',
      'n/axes: int64[1] = 0',
      'y = Slice(x, n/starts, n/ends, n/axes)',
    ])
    expect(await upgraded('Pad', 10, [ints('pads', [0, 1]), text('mode', 'edge')])).toEqual([
      'n/pads: int64[2] = 0 1',
      'y = Pad(x, n/pads) {mode="edge"}',
    ])
    expect(await upgraded('TopK', 9, [int('k', 3)], { outputs: ['y', 'i'] })).toEqual([
      'n/k: int64[1] = 3',
      'y, i = TopK(x, n/k)',
    ])
    expect(await upgraded('Split', 11, [int('axis', 1)], { outputs: ['y', 'z'] })).toEqual([
      'y, z = Split(x) {axis=1, num_outputs=2}',
    ])
  })

  test('bounds take the type of the data', async () => {
    expect(await upgraded('Clip', 10, [float('min', 0.5)], { type: FLOAT16 })).toEqual([
      'n/min: float16[] = 0.5',
      'y = Clip(x, n/min)',
    ])
  })

  test('Softmax over several axes', async () => {
    expect(await upgraded('Softmax', 11, [], { dims: [2, 3] })).toEqual(['y = Softmax(x) {axis=-1}'])
    expect(await upgraded('LogSoftmax', 12, [], { dims: [2, 3, 4] })).toEqual([
      'y = octavo.FlattenedLogSoftmax(x) {axis=1}',
    ])
    expect(await upgraded('Softmax', 13, [], { dims: [2, 3, 4] })).toEqual(['y = Softmax(x)'])
  })

  test('Upsample and the first Resize', async () => {
    expect(await upgraded('Upsample', 7, [floats('scales', [1, 1, 2, 2]), text('mode', 'nearest')])).toEqual([
      'n/scales: float32[4] = 1 1 2 2',
      'y = Resize(x, _, n/scales) {coordinate_transformation_mode="asymmetric", mode="nearest", nearest_mode="floor"}',
    ])
    expect(await upgraded('Resize', 10, [], { inputs: ['x', 'half'] })).toEqual([
      'y = Resize(x, _, half) {coordinate_transformation_mode="asymmetric", mode="nearest", nearest_mode="ceil"}',
    ])
  })

  test('Dropout does nothing', async () => {
    expect(await upgraded('Dropout', 7, [float('ratio', 0.5)])).toEqual(['y = Identity(x)'])
    expect(await upgraded('Dropout', 12, [], { outputs: ['y', 'm'] })).toEqual([
      'y = Identity(x)',
      'n/shape = Shape(x)',
      'm = ConstantOfShape(n/shape) {value=bool[1] = 1}',
    ])
  })

  test('names that changed', async () => {
    expect(await upgraded('GridSample', 16, [text('mode', 'bicubic')])).toEqual([
      'y = GridSample(x) {mode="cubic"}',
    ])
    expect(await upgraded('RoiAlign', 10, [])).toEqual([
      'y = RoiAlign(x) {coordinate_transformation_mode="output_half_pixel"}',
    ])
    expect(await upgraded('Scatter', 9, [])).toEqual(['y = ScatterElements(x)'])
  })
})

describe('operators of ai.onnx.ml that are some of ai.onnx', () => {
  const model = (type: number, attributes: AttributeInit[]) =>
    modelBytes(
      {
        name: 'g',
        input: [value('x', [2, 3], type)],
        output: [value('y', [2, 3], FLOAT)],
        node: [node('Scaler', ['x'], ['y'], attributes, 'n', 'ai.onnx.ml')],
      },
      21,
    )
  const lines = async (type: number, attributes: AttributeInit[]) => {
    const { graph } = await readModel(model(type, attributes))
    expect(problemsOf(graph)).toEqual([])
    return printGraph(graph, { names: false })
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }

  test('Scaler is a difference and a product, by column or for all', async () => {
    expect(await lines(FLOAT, [floats('offset', [1, 2, 3]), floats('scale', [0.5])])).toMatchInlineSnapshot(`
      [
        "n/offset: float32[3] = 1 2 3",
        "n/scale: float32[1] = 0.5",
        "n/centred = Sub(x, n/offset)",
        "y = Mul(n/centred, n/scale)",
      ]
    `)
    expect(await lines(7, [floats('scale', [2, 2, 4])])).toMatchInlineSnapshot(`
      [
        "n/offset: float32[1] = 0",
        "n/scale: float32[3] = 2 2 4",
        "n/float = Cast(x) {to=1}",
        "n/centred = Sub(n/float, n/offset)",
        "y = Mul(n/centred, n/scale)",
      ]
    `)
  })
})
