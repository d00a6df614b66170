/** One signedness: zero points, bounds and what padding writes move with it; what cannot follow stays. */
import { describe, expect, it } from 'vitest'
import { preferSign } from '../../../lib/compile/steps/sign.js'
import type { Draft } from '../../../lib/plan/draft.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const toUint8 = (draft: Draft) => preferSign(draft, 'uint8')

const head = trimmed(`
  input x: float32[1, 4, 4, 2]
  constant s: float32[] = 0.5
  constant z: int8[] = -3`)
const weights = trimmed(`
  constant w: int8[2, 2, 1, 1] = 1, 2, 3, 4
  constant ws: float32[] = 0.25`)

describe('preferSign', () => {
  it('shifts zero points and bounds of all that a signed tensor touches', () => {
    const before = `${head}
      q: int8[1, 4, 4, 2] = QuantizeLinear(x: x, y: (s, z)) { qmax: 100, qmin: -3 } convert
      ${weights}
      c: int8[1, 4, 4, 2] = QConv(x: q(s, z), w: w(ws), y: (s, z)) integer #conv
      output y: float32[1, 4, 4, 2] = DequantizeLinear(x: c(s, z)) convert
      return y`
    expect(rewritten(toUint8, before)).toBe(
      trimmed(`
      input x: float32[1, 4, 4, 2]
      constant s: float32[] = 0.5
      constant %0: uint8[] = 125
      q: uint8[1, 4, 4, 2] = QuantizeLinear(x: x, y: (s, %0)) { qmax: 228, qmin: 125 } convert
      constant %1: uint8[] = 125
      ${weights}
      constant %2: uint8[] = 125
      c: uint8[1, 4, 4, 2] = QConv(x: q(s, %1), w: w(ws), y: (s, %2)) integer #conv
      constant %3: uint8[] = 125
      output y: float32[1, 4, 4, 2] = DequantizeLinear(x: c(s, %3)) convert
      return y`),
    )
  })

  it('takes padding with it: the number that Pad writes is one of the tensor', () => {
    const before = `${head}
      q: int8[1, 4, 4, 2] = QuantizeLinear(x: x, y: (s, z)) convert
      constant v: int8[] = -3
      p: int8[1, 6, 6, 2] = Pad(x: q, value: v) { mode: constant, pads: [0, 1, 1, 0, 0, 1, 1, 0] } data #pad
      ${weights}
      c: int8[1, 6, 6, 2] = QConv(x: p(s, z), w: w(ws), y: (s, z)) integer #conv
      output y: float32[1, 6, 6, 2] = DequantizeLinear(x: c(s, z)) convert
      return y`
    const after = rewritten(toUint8, before)
    expect(after).toContain('constant %1: uint8[] = 125\np: uint8[1, 6, 6, 2] = Pad(x: q, value: %1)')
    expect(after).not.toMatch(/: int8\[1,/)
  })

  it('gives Pad a number where it had none: zero is no longer the byte 0', () => {
    const before = `${head}
      q: int8[1, 4, 4, 2] = QuantizeLinear(x: x, y: (s, z)) convert
      p: int8[1, 6, 4, 2] = Pad(x: q) { pads: [0, 1, 0, 0, 0, 1, 0, 0] } data #pad
      output y: float32[1, 6, 4, 2] = DequantizeLinear(x: p(s, z)) convert
      return y`
    expect(rewritten(toUint8, before)).toContain(
      'constant %1: uint8[] = 128\np: uint8[1, 6, 4, 2] = Pad(x: q, value: %1)',
    )
  })

  it('leaves a tensor that is padded with what only a run knows, and one that is an output', () => {
    const unknown = trimmed(`${head}
      q: int8[1, 4, 4, 2] = QuantizeLinear(x: x, y: (s, z)) convert
      input v: int8[]
      p: int8[1, 6, 4, 2] = Pad(x: q, value: v) { pads: [0, 1, 0, 0, 0, 1, 0, 0] } data
      output y: float32[1, 6, 4, 2] = DequantizeLinear(x: p(s, z)) convert
      return y`)
    expect(rewritten(toUint8, unknown)).toMatch(/p: int8\[1, 6, 4, 2\] = Pad\(x: q, value: v\)/)
    const output = trimmed(`${head}
      output q: int8[1, 4, 4, 2] = QuantizeLinear(x: x, y: (s, z)) convert
      return q`)
    expect(rewritten(toUint8, output)).toBe(output)
  })

  it('does not touch a plan that has the sign already', () => {
    const unsigned = trimmed(`
      input x: float32[4]
      constant s: float32[] = 0.5
      q: uint8[4] = QuantizeLinear(x: x, y: (s)) convert
      output y: float32[4] = DequantizeLinear(x: q(s)) convert
      return y`)
    expect(rewritten(toUint8, unsigned)).toBe(unsigned)
  })

  const running = (op: string, attributes = '') => `
    input x: float32[3, 2]
    q: uint8[3, 2], s: float32[3], z: uint8[3] = ${op}(x: x)${attributes} convert
    constant w: int8[2, 1] = 1, 2
    constant ws: float32[] = 0.25
    output y: float32[3, 1] = QMatMul(a: q(s, z), b: w(ws)) integer #product
    return y`

  it('levels and zero points that a run computes move together', () => {
    const rows = running('QuantizeRows', ' { levels: 255.0, qmax: 200, qmin: 0 }')
    expect(rewritten((draft) => preferSign(draft, 'int8'), rows)).toContain(
      'q: int8[3, 2], s: float32[3], z: int8[3] = QuantizeRows(x: x) { levels: 255.0, qmax: 72, qmin: -128 } convert',
    )
    expect(rewritten(toUint8, rows)).toBe(trimmed(rows))
  })

  it('they stay where something else reads one of them', () => {
    const rows = running('QuantizeRows', ' { levels: 255.0 }')
    const read = rows.replace(
      'return y',
      'output c: int32[3] = Cast(x: z) { saturate: 1 } data\n return y, c',
    )
    expect(rewritten((draft) => preferSign(draft, 'int8'), read)).toBe(trimmed(read))
  })

  it('symmetric rows of a run have the middle of the type', () => {
    const rows = `
    input x: float32[3, 2]
    q: int8[3, 2], s: float32[3] = QuantizeRows(x: x) { levels: 127.0, symmetric: 1 } convert
    constant w: int8[2, 1] = 1, 2
    constant ws: float32[] = 0.25
    output y: float32[3, 1] = QMatMul(a: q(s), b: w(ws)) integer #product
    return y`
    const after = rewritten(toUint8, rows)
    expect(after).toContain(
      'q: uint8[3, 2], s: float32[3] = QuantizeRows(x: x) { levels: 127.0, symmetric: 1 } convert',
    )
    expect(after).toContain('constant %0: uint8[] = 128')
    expect(after).toContain('QMatMul(a: q(s, %0), b: w(ws))')
  })
})
