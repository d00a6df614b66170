/** A Conv of float activations by constant weights of few bits: from packed weights what their floats give. */
import { expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { type LevelType, quantizedTensor } from '../../helpers/levels.js'
import { type AttributeInit, floatTensor, int, ints, modelBytes, node, value } from '../../helpers/model.js'

interface Case {
  readonly name: string
  readonly type: LevelType
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly attributes?: readonly AttributeInit[]
  /** Absent: per channel. */
  readonly tensor?: boolean
  readonly steps: readonly string[]
}

const PACKED = ['Patches', 'BlockMatMul']
const CASES: Case[] = [
  { name: 'one element', type: 'int4', x: [2, 32, 5, 7], w: [20, 32, 1, 1], steps: ['BlockMatMul'] },
  {
    ...{ name: 'one element, strided', type: 'int4', x: [1, 32, 6, 7], w: [20, 32, 1, 1] },
    ...{ attributes: [ints('strides', [2, 2])], steps: PACKED },
  },
  {
    ...{ name: 'windows', type: 'int4', x: [2, 5, 9, 8], w: [7, 5, 3, 3] },
    ...{ attributes: [ints('pads', [1, 1, 1, 1]), ints('strides', [2, 1])], steps: PACKED },
  },
  {
    ...{ name: 'unsigned, dilated', type: 'uint4', x: [1, 8, 11, 11], w: [17, 8, 2, 3] },
    ...{ attributes: [ints('dilations', [2, 3])], steps: PACKED },
  },
  { name: 'bytes, one axis', type: 'int8', x: [1, 6, 20], w: [9, 6, 5], steps: PACKED },
  { name: 'three axes', type: 'int4', x: [1, 3, 4, 5, 6], w: [5, 3, 2, 2, 2], steps: PACKED },
  { name: 'one scale', type: 'uint8', x: [1, 4, 6, 6], w: [5, 4, 3, 3], tensor: true, steps: PACKED },
  { name: 'two bits', type: 'int2', x: [1, 4, 6, 6], w: [5, 4, 3, 3], steps: PACKED },
  {
    ...{ name: 'groups', type: 'int4', x: [1, 6, 6, 6], w: [4, 3, 3, 3] },
    ...{ attributes: [int('group', 2)], steps: ['DequantizeLinear', 'Conv'] },
  },
]

function model({ type, w, x, attributes = [], tensor }: Case): Uint8Array {
  const weights = quantizedTensor('w', type, w, tensor ? {} : { axis: 0 })
  const axis = tensor ? [] : [int('axis', 0)]
  const bias = Array.from({ length: w[0] as number }, (_, i) => (i % 7) / 3 - 1)
  return modelBytes(
    {
      name: 'g',
      input: [value('x', x)],
      output: [value('y')],
      initializer: [...weights.initializer, floatTensor('b', [bias.length], bias)],
      node: [
        node('DequantizeLinear', weights.inputs, ['f'], axis),
        node('Conv', ['x', 'f', 'b'], ['y'], [...attributes]),
      ],
    },
    type.endsWith('2') ? 25 : 21,
  )
}

test.each(CASES)('$name', async (c) => {
  const size = c.x.reduce((p, d) => p * d, 1)
  const x = new Tensor(
    'float32',
    Float32Array.from({ length: size }, (_, i) => ((i * 31) % 83) / 41 - 1),
    c.x,
  )
  const run = async (options: Parameters<typeof InferenceSession.create>[1]) => {
    const session = await InferenceSession.create(model(c), options)
    const { y } = await session.run({ x })
    const steps = session.explain().map(({ step }) => step)
    await session.release()
    return { y: y?.data as Float32Array, dims: y?.dims, steps }
  }
  const got = await run({})
  const expected = await run({ graphOptimizationLevel: 'disabled' })
  const integer = await run({ extra: { session: { qdq_matmulnbits_accuracy_level: '4' } } })
  expect(got.steps).toEqual(c.steps)
  expect(expected.steps).not.toContain('BlockMatMul')
  expect(got.dims).toEqual(expected.dims)
  const most = expected.y.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
  const error = (y: Float32Array) =>
    y.reduce((d, v, i) => Math.max(d, Math.abs(v - (expected.y[i] as number))), 0) / most
  expect(error(got.y)).toBeLessThan(1e-5)
  expect(error(integer.y)).toBeLessThan(0.01)
})
