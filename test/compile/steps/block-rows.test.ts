import { describe, expect, it } from 'vitest'
import { blockRows } from '../../../lib/compile/steps/block-rows.js'
import { rewritten, trimmed } from '../../helpers/plan-text.js'

const plan = (scales: string, dequantize: string, type = 'int4') => `
  input i: int64[5]
  constant t: ${type}[3, 32]
  constant s: float32${scales}
  constant z: ${type}${scales}
  x: float32[3, 32] = DequantizeLinear(x: ${dequantize} convert #dq
  output y: float32[5, 32] = Gather(x: x, indices: i) { axis: 0 } data #g
  return y`

const last = (text: string) => rewritten(blockRows, text).trim().split('\n').at(-2)

describe('blockRows', () => {
  it('picks rows of levels with a scale for each block', () => {
    const text = plan('[3, 2]', 't(s, z)) { axis: 1, block_size: 16 }')
    expect(rewritten(blockRows, text)).toMatchInlineSnapshot(`
      "input i: int64[5]
      constant t: int4[3, 32] = 48 bytes
      constant s: float32[3, 2] = 0, 0, 0, 0, 0, 0
      constant z: int4[3, 2] = 0, 0, 0, 0, 0, 0
      x: float32[3, 32] = DequantizeLinear(x: t(s, z)) { axis: 1, block_size: 16 } convert #dq
      output y: float32[5, 32] = GatherBlocks(x: t, scale: s, zero_point: z, indices: i) { axis: 0, block_size: 16, quantize_axis: 1 } integer #g
      return y
      "
    `)
  })

  it('with a scale for each row, each column, or for all', () => {
    expect(last(plan('[3]', 't(s)) { axis: 0 }'))).toMatchInlineSnapshot(
      `"output y: float32[5, 32] = GatherBlocks(x: t, scale: s%0, indices: i) { axis: 0, block_size: 32, quantize_axis: 1 } integer #g"`,
    )
    expect(last(plan('[32]', 't(s)) { axis: 1 }'))).toMatchInlineSnapshot(
      `"output y: float32[5, 32] = GatherBlocks(x: t, scale: s%0, indices: i) { axis: 0, block_size: 3, quantize_axis: 0 } integer #g"`,
    )
    expect(last(plan('[]', 't(s, z)) { axis: 0 }'))).toMatchInlineSnapshot(
      `"output y: float32[5, 32] = GatherBlocks(x: t, scale: s%0, zero_point: z, indices: i) { axis: 0, block_size: 32, quantize_axis: 1 } integer #g"`,
    )
  })

  it('leaves wider levels', () => {
    const text = plan('[3, 2]', 't(s)) { axis: 1, block_size: 16 }', 'int16')
    expect(last(text)).toBe(trimmed(text).trim().split('\n').at(-2))
  })
})
