import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../../lib/calibrate/reservoir.js'
import { FORMATS, withBounds } from '../../../lib/graph/format.js'
import {
  affineOf,
  fixedAffine,
  MIN_SCALE,
  rangeOf,
  symmetricZeroPoint,
} from '../../../lib/quantize/scales/affine.js'

describe('affineOf', () => {
  it.each([
    [[-1, 2], 'int8', -43],
    [[0, 6], 'int8', -128],
    [[2, 6], 'int8', -128],
    [[-6, -2], 'int8', 127],
    [[0, 6], 'uint8', 0],
    [[-6, 0], 'uint8', 255],
  ] as const)('%j as %s has zero point %d', (range, dtype, zeroPoint) => {
    expect(affineOf(range, FORMATS[dtype], false).zeroPoint).toBe(zeroPoint)
  })

  it('scales are float32 and the range is covered but for rounding', () => {
    const random = mulberry32(1)
    for (let i = 0; i < 1000; ++i) {
      const [a, b] = [(random() - 0.7) * 10 ** (6 * random() - 3), random() * 10 ** (6 * random() - 3)]
      const p = affineOf([a, b], FORMATS.int8, false)
      expect(Math.fround(p.scale)).toBe(p.scale)
      const [low, high] = rangeOf(p)
      expect(low).toBeLessThanOrEqual(Math.min(0, a) + p.scale * 0.501)
      expect(high).toBeGreaterThanOrEqual(b - p.scale * 0.501)
      expect(Number.isInteger(p.zeroPoint)).toBe(true)
    }
  })

  it('symmetric ranges have their zero in the middle', () => {
    expect(affineOf([-1, 12.7], FORMATS.int8, true)).toEqual({
      format: FORMATS.int8,
      scale: Math.fround(12.7 / 127),
      zeroPoint: 0,
    })
    expect(affineOf([-1, 2], FORMATS.uint8, true).zeroPoint).toBe(128)
  })

  it('empty, tiny and huge ranges have finite positive scales whose products are normal', () => {
    expect(affineOf([0, 0], FORMATS.int8, false).scale).toBe(1)
    expect(affineOf([0, 1e-44], FORMATS.int8, false).scale).toBe(MIN_SCALE)
    expect(Math.fround(MIN_SCALE * MIN_SCALE)).toBeGreaterThan(2 ** -127)
    const huge = affineOf([-3.4e38, 3.4e38], FORMATS.int8, false).scale
    expect(Number.isFinite(Math.fround(huge))).toBe(true)
  })

  it('functions of a fixed range step by a power of two', () => {
    expect(fixedAffine([0, 1], FORMATS.int8)).toEqual({
      format: FORMATS.int8,
      scale: 1 / 256,
      zeroPoint: -128,
    })
    expect(fixedAffine([0, 1], FORMATS.uint8)).toEqual({
      format: FORMATS.uint8,
      scale: 1 / 256,
      zeroPoint: 0,
    })
    expect(fixedAffine([-1, 1], FORMATS.int8)).toEqual({ format: FORMATS.int8, scale: 1 / 128, zeroPoint: 0 })
  })

  it('the zero point of symmetric levels is their middle', () => {
    const bounds = [
      [FORMATS.int8, 0],
      [FORMATS.uint8, 128],
      [withBounds(FORMATS.int8, -127, 127), 0],
      [withBounds(FORMATS.uint8, 1, 255), 128],
      [withBounds(FORMATS.int8, -64, 63), 0],
      [withBounds(FORMATS.uint8, 0, 127), 64],
    ] as const
    for (const [format, middle] of bounds) expect(symmetricZeroPoint(format)).toBe(middle)
  })

  it.each([
    withBounds(FORMATS.int8, -127, 127),
    withBounds(FORMATS.int8, -64, 63),
    withBounds(FORMATS.uint8, 0, 127),
  ])('a range maps to [$qmin, $qmax]', (format) => {
    for (const range of [
      [-1, 2],
      [0, 6],
      [-3, 0],
    ] as const) {
      for (const symmetric of [false, true]) {
        const { scale, zeroPoint } = affineOf(range, format, symmetric)
        const level = (x: number) => Math.round(x / scale) + zeroPoint
        expect(level(range[0])).toBeGreaterThanOrEqual(format.qmin)
        expect(level(range[1])).toBeLessThanOrEqual(format.qmax)
        const used = level(range[1]) - level(range[0])
        if (!symmetric) expect(used).toBe(format.qmax - format.qmin)
      }
    }
  })
})
