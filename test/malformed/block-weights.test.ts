/** Weights in blocks that no file can mean: each is refused when it is loaded, by name. */
import { describe, expect, test } from 'vitest'
import { InferenceSession } from '../../lib/index.js'
import { type LevelType, levelTensor } from '../helpers/levels.js'
import { floatTensor, int, modelBytes, node, value } from '../helpers/model.js'

interface Bad {
  readonly type?: LevelType
  readonly dims?: readonly number[]
  readonly scale?: readonly number[]
  readonly size?: number
  readonly axis?: number
  readonly zero?: { readonly type: LevelType; readonly dims: readonly number[] }
  /** Elements of the scale, by their place. */
  readonly scales?: Readonly<Record<number, number>>
  /** Bytes of the levels. */
  readonly bytes?: number
  readonly op?: 'MatMul' | 'Gather'
}

const count = (dims: readonly number[]) => dims.reduce((n, d) => n * d, 1)

function model(bad: Bad): Uint8Array {
  const {
    type = 'int4',
    dims = [64, 8],
    scale = [2, 8],
    size = 32,
    axis = 0,
    zero,
    scales = {},
    op = 'MatMul',
  } = bad
  const levels = levelTensor('w', type, dims, new Array(count(dims)).fill(0))
  const rawData = bad.bytes === undefined ? levels.rawData : levels.rawData.slice(0, bad.bytes)
  const numbers = Array.from({ length: count(scale) }, (_, i) => scales[i] ?? 0.5)
  const product = op === 'MatMul' ? node('MatMul', ['x', 'f'], ['y']) : node('Gather', ['f', 'x'], ['y'])
  return modelBytes(
    {
      name: 'g',
      input: [op === 'MatMul' ? value('x', [1, dims[0] as number]) : value('x', [1], 7)],
      output: [value('y')],
      initializer: [
        { ...levels, rawData },
        floatTensor('s', [...scale], numbers),
        ...(zero ? [levelTensor('z', zero.type, zero.dims, new Array(count(zero.dims)).fill(0))] : []),
      ],
      node: [
        node(
          'DequantizeLinear',
          ['w', 's', ...(zero ? ['z'] : [])],
          ['f'],
          [int('axis', axis), int('block_size', size)],
          'culprit',
        ),
        product,
      ],
    },
    type.endsWith('2') ? 25 : 21,
  )
}

describe.each(['MatMul', 'Gather'] as const)('before a %s', (op) => {
  const cases: [string, Bad, RegExp][] = [
    [
      'a block size that the scales do not have',
      { size: 16 },
      /4 scales for 64 elements in blocks of 16, got 2/,
    ],
    ['scales of another rank', { scale: [16] }, /a scale of rank 2, as the input.*got \[16\]/],
    ['scales of another number of columns', { scale: [2, 9] }, /8 scales.*got 9/],
    ['a negative block size', { size: -32 }, /block_size of at least 0, got -32/],
    ['an axis that there is none of', { axis: 2 }, /axis/],
    [
      'a scale that is not a number',
      { scales: { 3: Number.NaN } },
      /finite scales.*"s".*got NaN at element 3/,
    ],
    ['an infinite scale', { scales: { 5: Infinity } }, /finite scales.*"s".*got Infinity at element 5/],
    [
      'zero points of another type',
      { zero: { type: 'uint4', dims: [2, 8] } },
      /zero point of type int4, got uint4/,
    ],
    [
      'zero points of other sizes',
      { zero: { type: 'int4', dims: [1, 8] } },
      /zero point of sizes \[2, 8\].*got \[1, 8\]/,
    ],
    ['too few bytes', { bytes: 255 }, /256 bytes|"w"/],
  ]
  test.each(cases)('%s', async (_, bad, message) => {
    for (const options of [{}, { graphOptimizationLevel: 'disabled' } as const]) {
      await expect(InferenceSession.create(model({ ...bad, op }), options)).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_(MODEL_INVALID|SHAPE_MISMATCH|UNSUPPORTED_OP)$/),
        message: expect.stringMatching(message),
      })
    }
  })
})

test('groups under 16 run in float, and explain says why', async () => {
  const session = await InferenceSession.create(model({ size: 8, scale: [8, 8] }))
  const found = session.explain().find(({ step }) => step === 'MatMul')
  expect(found?.reason).toBe('its weights are in groups of 8: packed ones have at least 16')
  await session.release()
})

test('scales of 0, negative and subnormal ones run', async () => {
  const session = await InferenceSession.create(model({ scales: { 0: 0, 1: -1, 2: 1e-40 } }))
  await session.release()
})
