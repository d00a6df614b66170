/** Tables of embeddings in blocks: DequantizeLinear and Gather, and GatherBlockQuantized, whose rows are picked from levels. */
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { type Granularity, type LevelType, quantizedTensor } from '../../helpers/levels.js'
import { floatTensor, int, modelBytes, node, value } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'

const [ROWS, COLUMNS] = [13, 64]
const PICKED = [3, -1, 0, 12, 3, -13]

interface Table {
  readonly name: string
  readonly bytes: Uint8Array
  /** Of all rows. */
  readonly values: readonly number[]
}

function standard(type: LevelType, how: Granularity): Table {
  const t = quantizedTensor('t', type, [ROWS, COLUMNS], how)
  const attributes = [
    ...(how.axis === undefined ? [] : [int('axis', how.axis)]),
    ...(how.size === undefined ? [] : [int('block_size', how.size)]),
  ]
  const nodes = [
    node('DequantizeLinear', t.inputs, ['f'], attributes),
    node('Gather', ['f', 'i'], ['y'], [], 'pick'),
  ]
  const small = type.endsWith('2')
  const bytes = file(nodes, t.initializer, small ? 25 : 21)
  return { name: `${type} ${JSON.stringify(how)}`, bytes, values: t.values }
}

function file(nodes: ReturnType<typeof node>[], initializer: unknown[], opset = 21): Uint8Array {
  const graph = {
    ...{ name: 'g', node: nodes, initializer },
    input: [value('i', [PICKED.length], 7)],
    output: [value('y', undefined)],
  }
  return modelBytes(graph as Parameters<typeof modelBytes>[0], opset, {
    irVersion: opset === 25 ? 13n : 10n,
    opsetImport: [
      { domain: '', version: BigInt(opset) },
      { domain: 'com.microsoft', version: 1n },
    ],
  })
}

interface Contrib {
  readonly type: 'int4' | 'uint4' | 'uint8'
  readonly bits?: 2 | 4 | 8
  readonly zeros: boolean
  readonly size: number
}

/** Bytes of uint8 hold their levels one after the other, and are in the middle without a zero point. */
function contrib({ type, bits = 4, zeros, size }: Contrib): Table {
  const levels = type === 'uint8' ? (`uint${bits}` as LevelType) : type
  const blocks = COLUMNS / size
  const t = quantizedTensor('t', levels, [ROWS, COLUMNS], { axis: 1, size }, zeros)
  const random = new Random(9)
  const scales = Array.from({ length: ROWS * blocks }, () => Math.fround(random.uniform(-0.1, 0.1)))
  const level = (i: number) => t.bytes[Math.floor((i * bits) / 8)] as number
  const stored = (i: number) => (level(i) >> ((i * bits) % 8)) & (2 ** bits - 1)
  // Rows of zero points are whole bytes.
  const zeroRow = Math.ceil((blocks * bits) / 8)
  const zeroBytes = Uint8Array.from({ length: ROWS * zeroRow }, () => Math.floor(random.uniform(0, 256)))
  const middle = type === 'uint8' ? 2 ** (bits - 1) : 0
  const zeroOf = (row: number, b: number) =>
    ((zeroBytes[row * zeroRow + Math.floor((b * bits) / 8)] as number) >> ((b * bits) % 8)) & (2 ** bits - 1)
  const sign = (q: number) => (type === 'int4' && q > 7 ? q - 16 : q)
  const values = Array.from({ length: ROWS * COLUMNS }, (_, i) => {
    const [row, b] = [Math.floor(i / COLUMNS), Math.floor((i % COLUMNS) / size)]
    const zero = zeros ? sign(zeroOf(row, b)) : middle
    return Math.fround((sign(stored(i)) - zero) * (scales[row * blocks + b] as number))
  })
  const dataType = { int4: 22, uint4: 21, uint8: 2 }[type]
  const packed = type === 'uint8' ? 8 / bits : 1
  const raw = (name: string, dims: number[], rawData: Uint8Array) => ({
    name,
    dataType,
    dims: dims.map(BigInt),
    rawData,
  })
  const initializer = [
    raw('t', [ROWS, COLUMNS / packed], t.bytes),
    floatTensor('s', [ROWS, blocks], scales),
    ...(zeros ? [raw('z', [ROWS, type === 'uint8' ? zeroRow : blocks], zeroBytes)] : []),
  ]
  const attributes = [
    int('bits', bits),
    int('block_size', size),
    int('quantize_axis', 1),
    int('gather_axis', 0),
  ]
  const pick = node(
    'GatherBlockQuantized',
    ['t', 'i', 's', ...(zeros ? ['z'] : [])],
    ['y'],
    attributes,
    'pick',
    'com.microsoft',
  )
  return {
    name: `GatherBlockQuantized ${type} ${bits} ${size} ${zeros}`,
    bytes: file([pick], initializer),
    values,
  }
}

const TABLES: Table[] = [
  ...(['int4', 'uint4', 'int8', 'uint8', 'int2', 'uint2'] as const).map((t) =>
    standard(t, { axis: 1, size: 16 }),
  ),
  standard('int4', { axis: 0 }),
  standard('uint4', { axis: 1 }),
  standard('uint4', {}),
  standard('int4', { axis: 0, size: 4 }),
  contrib({ type: 'int4', zeros: false, size: 16 }),
  contrib({ type: 'uint4', zeros: true, size: 16 }),
  contrib({ type: 'int4', zeros: true, size: 32 }),
  contrib({ type: 'uint8', bits: 4, zeros: false, size: 16 }),
  contrib({ type: 'uint8', bits: 4, zeros: true, size: 64 }),
  contrib({ type: 'uint8', bits: 8, zeros: true, size: 32 }),
  contrib({ type: 'uint8', bits: 8, zeros: false, size: 32 }),
  contrib({ type: 'uint8', bits: 2, zeros: true, size: 16 }),
]

type Api = Pick<typeof import('../../../lib/index.js'), 'InferenceSession' | 'Tensor'>

async function run(api: Api, bytes: Uint8Array): Promise<number[]> {
  const session = await api.InferenceSession.create(bytes)
  const i = new api.Tensor('int64', BigInt64Array.from(PICKED.map(BigInt)), [PICKED.length])
  const { y } = await session.run({ i })
  // -0 is 0.
  const data = Array.from(y?.data as Float32Array, (v) => v + 0)
  await session.release()
  return data
}

test.each(TABLES)('$name: picked rows, from levels', async ({ bytes, values }) => {
  const expected = PICKED.flatMap((row) => {
    const from = ((row + ROWS) % ROWS) * COLUMNS
    return values.slice(from, from + COLUMNS).map(Math.fround)
  })
  expect(await run({ InferenceSession, Tensor }, bytes)).toEqual(expected.map((v) => v + 0))
  const session = await InferenceSession.create(bytes)
  expect(session.explain().map(({ step }) => step)).toEqual(['GatherBlocks'])
  await session.release()
})

const path = process.env.OCTAVO_ORT_PATH
describe.skipIf(!path)('beside onnxruntime', () => {
  test.each(TABLES)('$name', async ({ bytes }) => {
    const theirs = createRequire(`${path}/`)('onnxruntime-node') as Api
    expect(await run({ InferenceSession, Tensor }, bytes)).toEqual(await run(theirs, bytes))
  })
})

describe('errors say what was expected and what came', () => {
  const broken = (attributes: Record<string, number>, scales = [ROWS, COLUMNS / 16]) => {
    const initializer = [
      {
        name: 't',
        dataType: 2,
        dims: [BigInt(ROWS), BigInt(COLUMNS / 2)],
        rawData: new Uint8Array((ROWS * COLUMNS) / 2),
      },
      floatTensor(
        's',
        scales,
        new Array(scales[0] as number).fill(1).flatMap(() => new Array(scales[1] as number).fill(1)),
      ),
    ]
    const given = { bits: 4, block_size: 16, quantize_axis: 1, gather_axis: 0, ...attributes }
    const list = Object.entries(given).map(([name, v]) => int(name, v))
    return file(
      [node('GatherBlockQuantized', ['t', 'i', 's'], ['y'], list, 'pick', 'com.microsoft')],
      initializer,
    )
  }
  test.each([
    ['bits', broken({ bits: 3 }), /bits of 2, 4 or 8, got 3/],
    ['a block that is too short', broken({ block_size: 8 }), /power of 2 and at least 16, got 8/],
    ['another block', broken({ block_size: 32 }), /sizes \[13, 2\] of input 2 \("s"\).*got \[13, 4\]/],
    ['an axis', broken({ gather_axis: 2 }), /axis/],
    ['scales', broken({}, [ROWS, 5]), /sizes \[13, 4\] of input 2 \("s"\).*got \[13, 5\]/],
  ])('%s', async (_, bytes, message) => {
    await expect(InferenceSession.create(bytes)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      node: 'pick',
    })
  })
})
