import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bfloat16ToNumber,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
} from '../../lib/graph/float16.js'
import { FORMATS } from '../../lib/graph/format.js'
import {
  floatsOf,
  int64s,
  numbersOf,
  packBits,
  tensorFromNumbers,
  typedArrayOf,
  unpackBits,
} from '../../lib/graph/tensor.js'

test('every float16 and bfloat16 survives the way there and back', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const half = float16ToNumber(bits)
    if (!Number.isNaN(half) && numberToFloat16(half) !== bits) expect(numberToFloat16(half)).toBe(bits)
    const brain = bfloat16ToNumber(bits)
    if (!Number.isNaN(brain) && numberToBfloat16(brain) !== bits) expect(numberToBfloat16(brain)).toBe(bits)
  }
  expect(float16ToNumber(numberToFloat16(Number.NaN))).toBeNaN()
  expect(bfloat16ToNumber(numberToBfloat16(Number.NaN))).toBeNaN()
})

/** The finite values around `value` and which of them is nearest, ties to the even one. */
function nearestHalf(value: number): number {
  let [low, high] = [0, 0x7c00]
  const magnitude = Math.abs(value)
  // The step above the largest finite value is where infinity would be if it were finite.
  const at = (bits: number) => (bits === 0x7c00 ? 65536 : float16ToNumber(bits))
  if (magnitude >= 65536) return 0x7c00
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (at(middle) <= magnitude) low = middle
    else high = middle
  }
  const [below, above] = [magnitude - at(low), at(high) - magnitude]
  return below < above || (below === above && low % 2 === 0) ? low : high
}

test('float32 to float16 rounds to nearest, ties to even', () => {
  const any = fc.oneof(
    fc.float({ noNaN: true }),
    fc.float({ min: -70000, max: 70000, noNaN: true }),
    fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true }),
  )
  fc.assert(
    fc.property(any, (value) => {
      expect(numberToFloat16(value) & 0x7fff).toBe(nearestHalf(value))
    }),
    { numRuns: 5000 },
  )
  expect([65519, 65520, 2 ** -25, 2 ** -25 * 1.0001, 2 ** -14 - 2 ** -26].map(numberToFloat16)).toEqual([
    0x7bff, 0x7c00, 0, 1, 0x400,
  ])
})

test('4-bit integers pack low nibble first', () => {
  const { int4, uint4, int2, uint1 } = FORMATS
  expect([...packBits([1, -1, 7], int4)]).toEqual([0xf1, 0x07])
  expect([...unpackBits(packBits([-8, 7, -1], int4), 3, int4)]).toEqual([-8, 7, -1])
  expect([...unpackBits(Uint8Array.of(0xf8), 2, uint4)]).toEqual([8, 15])
  expect([...packBits([-2, -1, 0, 1, 1], int2)]).toEqual([0b01_00_11_10, 0b01])
  expect([...unpackBits(packBits([-2, -1, 0, 1, 1], int2), 5, int2)]).toEqual([-2, -1, 0, 1, 1])
  expect([...packBits([1, 0, 0, 0, 0, 0, 0, 1, 1], uint1)]).toEqual([0x81, 1])
})

test('bytes at odd addresses are read as well', () => {
  const bytes = new Uint8Array(9)
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1)
  const data = bytes.subarray(1)
  expect([...floatsOf({ dtype: 'float32', dims: [2], data })]).toEqual([1.5, -2])
  expect(typedArrayOf('float32', data)).toBeInstanceOf(Float32Array)
})

test('numbers become tensors of every type and numbers again', () => {
  for (const dtype of [
    'float32',
    'float64',
    'float16',
    'bfloat16',
    'int8',
    'int16',
    'int32',
    'int64',
    'int4',
  ] as const) {
    expect([...numbersOf(tensorFromNumbers(dtype, [3], [1, -2, 3]))]).toEqual([1, -2, 3])
  }
  for (const dtype of ['uint8', 'uint16', 'uint32', 'uint64', 'uint4'] as const) {
    expect([...numbersOf(tensorFromNumbers(dtype, [3], [1, 2, 3]))]).toEqual([1, 2, 3])
  }
  expect(typedArrayOf('int64', int64s([2 ** 63, -(2 ** 63)]).data)).toEqual(
    BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)),
  )
})
