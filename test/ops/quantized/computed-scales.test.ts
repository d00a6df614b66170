/** QuantizeLinear and DequantizeLinear whose scales and zero points are computed while running, in every granularity. */
import { describe, expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { type AttributeInit, int, modelBytes, type NodeInit, node, value } from '../../helpers/model.js'

const ROWS = 3
const COLUMNS = 8
const BLOCK = 4
const TYPES = { uint8: 2, int8: 3, int16: 5, uint16: 4 } as const
type Type = keyof typeof TYPES
const RANGES = { uint8: [0, 255], int8: [-128, 127], int16: [-32768, 32767], uint16: [0, 65535] } as const

/** How the scales lie: their sizes, the attributes that say so, and which scale element (row, column) has. */
const GRANULARITIES: Record<
  string,
  { dims: number[]; attributes: AttributeInit[]; scaleOf: (r: number, c: number) => number }
> = {
  tensor: { dims: [], attributes: [], scaleOf: () => 0 },
  rows: { dims: [ROWS], attributes: [int('axis', 0)], scaleOf: (r) => r },
  columns: { dims: [COLUMNS], attributes: [int('axis', 1)], scaleOf: (_, c) => c },
  'blocks of columns': {
    dims: [ROWS, COLUMNS / BLOCK],
    attributes: [int('axis', 1), int('block_size', BLOCK)],
    scaleOf: (r, c) => (r * COLUMNS) / BLOCK + Math.floor(c / BLOCK),
  },
  'blocks of rows': {
    dims: [2, COLUMNS],
    attributes: [int('axis', 0), int('block_size', 2)],
    scaleOf: (r, c) => Math.floor(r / 2) * COLUMNS + c,
  },
}

/** x / s, as levels and back; the scales are the sum of two inputs, so that nothing knows them before. */
function model(type: Type, granularity: string, zeroPoint: boolean, sizes: 'fixed' | 'open'): Uint8Array {
  const { dims, attributes } = GRANULARITIES[granularity] as (typeof GRANULARITIES)[string]
  const declared = sizes === 'fixed' ? dims : dims.map((_, i) => `d${i}`)
  const zero = zeroPoint ? ['z'] : []
  const dtype = zeroPoint ? [] : [int('output_dtype', TYPES[type])]
  const nodes: NodeInit[] = [
    node('Add', ['half', 'half'], ['s'], [], 'scales'),
    node('QuantizeLinear', ['x', 's', ...zero], ['q'], [...attributes, ...dtype], 'quantize'),
    node('DequantizeLinear', ['q', 's', ...zero], ['y'], attributes, 'dequantize'),
  ]
  const x = sizes === 'fixed' ? [ROWS, COLUMNS] : ['m', 'n']
  const inputs = [value('x', x), value('half', declared)]
  if (zeroPoint) inputs.push(value('z', declared, TYPES[type]))
  return modelBytes({ name: 'g', input: inputs, output: [value('y', undefined)], node: nodes }, 21)
}

const xs = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i * 1.7) * 5)
const ARRAYS = { uint8: Uint8Array, int8: Int8Array, int16: Int16Array, uint16: Uint16Array }

async function run(type: Type, granularity: string, zeroPoint: boolean, sizes: 'fixed' | 'open') {
  const { dims, scaleOf } = GRANULARITIES[granularity] as (typeof GRANULARITIES)[string]
  const count = dims.reduce((p, d) => p * d, 1)
  const half = Float32Array.from({ length: count }, (_, i) => 0.01 + i * 0.003)
  const zeros = ARRAYS[type].from(Array.from({ length: count }, (_, i) => 3 + i))
  const session = await InferenceSession.create(model(type, granularity, zeroPoint, sizes))
  const feeds: Record<string, Tensor> = {
    x: new Tensor('float32', xs, [ROWS, COLUMNS]),
    half: new Tensor('float32', half, dims),
  }
  if (zeroPoint) feeds.z = new Tensor(type, zeros, dims)
  const y = [...((await session.run(feeds)).y as Tensor).data] as number[]
  await session.release()
  const [low, high] = RANGES[type]
  const expected = Array.from(xs, (x, i) => {
    const at = scaleOf(Math.floor(i / COLUMNS), i % COLUMNS)
    const scale = Math.fround((half[at] as number) * 2)
    const zero = zeroPoint ? (zeros[at] as number) : 0
    const scaled = Math.fround(x / scale)
    const near = scaled + 1.5 * 2 ** 52 - 1.5 * 2 ** 52
    const level = Math.min(high, Math.max(low, near + zero))
    return Math.fround((level - zero) * scale)
  })
  expect(y).toEqual(expected)
}

describe.each(Object.keys(GRANULARITIES))('one scale for each of: %s', (granularity) => {
  describe.each(['uint8', 'int8', 'int16', 'uint16'] as const)('%s', (type) => {
    test.each(['fixed', 'open'] as const)('no zero point, %s sizes', (sizes) =>
      run(type, granularity, false, sizes),
    )
    test.each(['fixed', 'open'] as const)('zero points, %s sizes', (sizes) =>
      run(type, granularity, true, sizes),
    )
  })
})
