import { describe, expect, it } from 'vitest'
import { roundHalfEven } from '../../../lib/graph/format.js'
import { biasGuard, quantizeBias, quantizeBiases } from '../../../lib/quantize/scales/bias.js'

describe('biases', () => {
  it('round half to even and saturate', () => {
    expect([0.5, 1.5, -0.5, -1.5, 2.4].map((x) => roundHalfEven(x) + 0)).toEqual([0, 2, 0, -2, 2])
    expect(quantizeBias(1e30, 1e-9)).toBe(2 ** 31 - 1)
    expect(quantizeBias(-1e30, 1e-9)).toBe(-(2 ** 31 - 1))
  })

  it('the guard leaves room in int32', () => {
    const inputScale = 0.01
    const scale = biasGuard(-5, inputScale)
    expect(Math.abs(quantizeBias(-5, scale * inputScale))).toBeLessThanOrEqual(2 ** 30)
  })

  it('of channels, with one scale for all or one each', () => {
    const bias = Float64Array.of(1, -2)
    expect([...quantizeBiases(bias, Float32Array.of(0.5))]).toEqual([2, -4])
    expect([...quantizeBiases(bias, Float32Array.of(0.5, 0.25))]).toEqual([2, -8])
  })
})
