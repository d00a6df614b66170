import { describe, expect, it } from 'vitest'
import { sinkRows } from '../../../lib/compile/steps/sink-rows.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const plan = (constants: string, dequantize: string, gather = 'axis: 0', out = '[1, 5, 2]') => `
  input i: int64[1, 5]
  constant t: int8[3, 2] = 1, 2, 3, 4, 5, 6
  constant s: float32[3] = 0.5, 0.25, 2
  ${constants}
  x: float32[3, 2] = DequantizeLinear(x: t(${dequantize} convert #dq
  output y: float32${out} = Gather(x: x, indices: i) { ${gather} } data #g
  return y`

describe('sinkRows', () => {
  it('picks rows of bytes and their scales', () => {
    expect(rewritten(sinkRows, plan('', 's)) { axis: 0 }'))).toMatchInlineSnapshot(`
      "input i: int64[1, 5]
      constant t: int8[3, 2] = 1, 2, 3, 4, 5, 6
      constant s: float32[3] = 0.5, 0.25, 2
      x: float32[3, 2] = DequantizeLinear(x: t(s)) { axis: 0 } convert #dq
      y_levels: int8[1, 5, 2] = Gather(x: t, indices: i) { axis: 0 } data #g
      alias s%0: float32[3, 1] of s
      y_scale: float32[1, 5, 1] = Gather(x: s%0, indices: i) { axis: 0 } data
      output y: float32[1, 5, 2] = DequantizeLinear(x: y_levels(y_scale)) { axis: 2, block_size: 2 } convert #dq
      return y
      "
    `)
  })

  it('and zero points, where there are some', () => {
    expect(
      rewritten(sinkRows, plan('constant z: int8[3] = 0, 1, -1', 's, z)) { axis: 0 }')),
    ).toMatchInlineSnapshot(`
      "input i: int64[1, 5]
      constant t: int8[3, 2] = 1, 2, 3, 4, 5, 6
      constant s: float32[3] = 0.5, 0.25, 2
      constant z: int8[3] = 0, 1, -1
      x: float32[3, 2] = DequantizeLinear(x: t(s, z)) { axis: 0 } convert #dq
      y_levels: int8[1, 5, 2] = Gather(x: t, indices: i) { axis: 0 } data #g
      alias s%0: float32[3, 1] of s
      y_scale: float32[1, 5, 1] = Gather(x: s%0, indices: i) { axis: 0 } data
      alias z%1: int8[3, 1] of z
      y_zero_point: int8[1, 5, 1] = Gather(x: z%1, indices: i) { axis: 0 } data
      output y: float32[1, 5, 2] = DequantizeLinear(x: y_levels(y_scale, y_zero_point)) { axis: 2, block_size: 2 } convert #dq
      return y
      "
    `)
  })

  it('leaves scales of columns, and columns that are picked', () => {
    for (const text of [
      plan('constant c: float32[2] = 1, 2', 'c)) { axis: 1 }'),
      plan('', 's)) { axis: 0 }', 'axis: 1', '[3, 1, 5]'),
    ]) {
      expect(rewritten(sinkRows, text)).toContain(trimmed(text).split('\n').slice(-4).join('\n'))
    }
  })
})
