/** Biases as int32 in units of the accumulator. */
import { roundHalfEven } from '../../graph/format.js'

const INT32_MAX = 2 ** 31 - 1
/** What a bias may take of an accumulator: the rest is room for the products. */
export const BIAS_LIMIT = 2 ** 30

/**
 * Least weight scale of a channel for which its bias fits int32 with room for the accumulation
 * (onnxruntime #22020: tiny weight scales made biases saturate).
 */
export function biasGuard(bias: number, inputScale: number): number {
  return Math.abs(bias) / (inputScale * BIAS_LIMIT)
}

/** A bias as a number of the accumulator, whose step is `scale` in real numbers. */
export function quantizeBias(bias: number, scale: number): number {
  return Math.min(INT32_MAX, Math.max(-INT32_MAX, roundHalfEven(bias / scale)))
}

/** The biases of all channels; `scales` has one for all, or one per channel. */
export function quantizeBiases(bias: Float64Array, scales: Float32Array): Int32Array {
  return Int32Array.from(bias, (b, c) => quantizeBias(b, scales[scales.length === 1 ? 0 : c] as number))
}
