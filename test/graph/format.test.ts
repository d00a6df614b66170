import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeLevel,
  dequantizeNumber,
  encodeLevel,
  FORMATS,
  formatOf,
  levelsOf,
  middleOf,
  quantizeNumber,
  roundHalfEven,
  withBounds,
} from '../../lib/graph/format.js'

describe('formats', () => {
  test('have the ranges of their element types', () => {
    expect(FORMATS.int8).toMatchObject({ bits: 8, signed: true, qmin: -128, qmax: 127 })
    expect(FORMATS.uint16).toMatchObject({ bits: 16, signed: false, qmin: 0, qmax: 65535 })
    expect(FORMATS.int4).toMatchObject({ qmin: -8, qmax: 7 })
    expect(FORMATS.int2).toMatchObject({ qmin: -2, qmax: 1 })
    expect(FORMATS.uint1).toMatchObject({ qmin: 0, qmax: 1 })
    for (const format of Object.values(FORMATS)) expect(levelsOf(format)).toBe(2 ** format.bits)
    expect(formatOf('float32')).toBeUndefined()
    expect(formatOf(undefined)).toBeUndefined()
  })

  test('take fewer levels, within their own', () => {
    expect(levelsOf(withBounds(FORMATS.int8, -127, 127))).toBe(255)
    expect(() => withBounds(FORMATS.int8, -129, 127)).toThrow('[-128, 127] of int8, got [-129, 127]')
    expect(() => withBounds(FORMATS.uint8, 5, 5)).toThrow(RangeError)
    expect(() => withBounds(FORMATS.uint8, 0.5, 5)).toThrow(RangeError)
  })

  test('every level survives storage', () => {
    for (const format of Object.values(FORMATS))
      for (let q = format.qmin; q <= format.qmax; q += format.bits === 16 ? 97 : 1)
        expect(decodeLevel(encodeLevel(q, format), format)).toBe(q)
  })

  test('round half to even', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6].map((x) => roundHalfEven(x) + 0)).toEqual([
      0, 2, 2, 0, -2, 2, -3,
    ])
  })

  test('every level is the nearest one of its own number, and nothing leaves the range', () => {
    for (const format of [FORMATS.int8, FORMATS.uint8, withBounds(FORMATS.uint8, 0, 127)])
      for (let q = format.qmin; q <= format.qmax; ++q)
        expect(
          quantizeNumber(dequantizeNumber(q, 0.25, middleOf(format)), 0.25, middleOf(format), format),
        ).toBe(q)
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.integer({ min: -128, max: 127 }), (x, zeroPoint) => {
        const q = quantizeNumber(x, 0.1, zeroPoint, FORMATS.int8)
        return Number.isInteger(q) && q >= -128 && q <= 127
      }),
    )
  })
})
