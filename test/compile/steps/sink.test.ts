import { describe, expect, it } from 'vitest'
import { sinkDequantize } from '../../../lib/compile/steps/sink.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const head = trimmed(`
  input q: uint8[1, 4, 4, 2]
  constant s: float32[] = 0.5
  constant z: uint8[] = 3
  x: float32[1, 4, 4, 2] = DequantizeLinear(x: q(s, z)) convert #dq`)

describe('sinkDequantize', () => {
  it('moves bytes where a step only moves', () => {
    const before = `${head}
      output y: float32[1, 2, 4, 4] = Transpose(x: x) { perm: [0, 3, 1, 2] } data #t
      return y`
    expect(rewritten(sinkDequantize, before)).toBe(
      `${head}${trimmed(`
      y_quantized: uint8[1, 2, 4, 4] = Transpose(x: q) { perm: [0, 3, 1, 2] } data #t
      output y: float32[1, 2, 4, 4] = DequantizeLinear(x: y_quantized(s, z)) convert
      return y`)}`,
    )
  })

  it('writes the number of Pad as a level', () => {
    const before = `${head}
      constant v: float32[] = 2.5
      output y: float32[1, 6, 4, 2] = Pad(x: x, value: v) { pads: [0, 1, 0, 0, 0, 1, 0, 0] } data #pad
      return y`
    expect(rewritten(sinkDequantize, before)).toContain(
      'constant %0: uint8[] = 8\ny_quantized: uint8[1, 6, 4, 2] = Pad(x: q, value: %0)',
    )
  })

  it('has a form of its own for the maximum of a window, and none for its indices', () => {
    const pool = (outputs: string) => `${head}
      ${outputs} = Pool(x: x) { fn: max, kernel: [2, 2] } float #pool
      return y`
    expect(rewritten(sinkDequantize, pool('output y: float32[1, 3, 3, 2]'))).toContain(
      'y_quantized: uint8[1, 3, 3, 2] = QPool(x: q(s, z), y: (s, z)) { fn: max, kernel: [2, 2] } integer #pool',
    )
    const indices = pool('output y: float32[1, 3, 3, 2], i: int64[1, 3, 3, 2]')
    expect(rewritten(sinkDequantize, indices)).toBe(trimmed(indices))
  })

  it('moves 16-bit levels, the maximum of a window too', () => {
    const wide = trimmed(`
      input q: uint16[1, 4, 4, 2]
      constant s: float32[] = 0.5
      constant z: uint16[] = 40001
      x: float32[1, 4, 4, 2] = DequantizeLinear(x: q(s, z)) convert
      constant v: float32[] = 2.5`)
    const of = (line: string) => rewritten(sinkDequantize, `${wide}\n${line}\nreturn y`)
    expect(of('output y: float32[1, 3, 3, 2] = Pool(x: x) { fn: max, kernel: [2, 2] } float')).toContain(
      'y_quantized: uint16[1, 3, 3, 2] = Pool(x: q) { fn: max, kernel: [2, 2] } integer',
    )
    expect(
      of('output y: float32[1, 6, 4, 2] = Pad(x: x, value: v) { pads: [0, 1, 0, 0, 0, 1, 0, 0] } data'),
    ).toContain('constant %0: uint16[] = 40006\ny_quantized: uint16[1, 6, 4, 2] = Pad(x: q, value: %0)')
  })

  it('joins what has one scale, and leaves what has two', () => {
    const join = (scale: string) => `${head}
      constant t: float32[] = ${scale}
      b: float32[1, 4, 4, 2] = DequantizeLinear(x: q(t, z)) convert
      output y: float32[1, 8, 4, 2] = Concat(x: [x, b]) { axis: 1 } data
      return y`
    expect(rewritten(sinkDequantize, join('0.5'))).toContain('Concat(x: [q, q]) { axis: 1 }')
    expect(rewritten(sinkDequantize, join('0.25'))).toContain('Concat(x: [x, b]) { axis: 1 }')
  })
})
