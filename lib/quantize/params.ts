/** Scale and zero point of a range: computed in float64, then rounded once to the float32 that the file holds. */
import type { Range } from '../calibrate/observers/observer.js'
import type { QuantizedType } from './recipe.js'

export interface Params {
  readonly dtype: QuantizedType
  /** A float32, finite and positive. */
  readonly scale: number
  readonly zeroPoint: number
}

export const LIMITS = { int8: [-128, 127], uint8: [0, 255] } as const

/** The product of two scales of this size is still a normal float32. */
export const MIN_SCALE = 2 ** -63
const MAX_SCALE = 2 ** 120

/**
 * Parameters that cover `range`, widened to contain 0, which every range must represent exactly (padding, Relu).
 * Symmetric: the zero point is in the middle and the range [-127, 127] scales. An empty range gets scale 1.
 */
export function paramsOf(range: Range, dtype: QuantizedType, symmetric: boolean): Params {
  const low = Math.min(0, range[0])
  const high = Math.max(0, range[1])
  const [qmin, qmax] = LIMITS[dtype]
  const middle = dtype === 'int8' ? 0 : 128
  if (low === 0 && high === 0) return { dtype, scale: 1, zeroPoint: symmetric ? middle : qmin }
  if (symmetric) return { dtype, scale: toScale(Math.max(-low, high) / 127), zeroPoint: middle }
  const scale = toScale((high - low) / (qmax - qmin))
  const zeroPoint = Math.min(qmax, Math.max(qmin, roundHalfEven(qmin - low / scale)))
  return { dtype, scale, zeroPoint }
}

/** Parameters of a function whose values lie in a fixed range: 256 steps, so that the scale is a power of two (1/256 for [0, 1]). */
export function fixedParams(range: Range, dtype: QuantizedType): Params {
  const scale = Math.fround((range[1] - range[0]) / 256)
  return { dtype, scale, zeroPoint: LIMITS[dtype][0] - roundHalfEven(range[0] / scale) }
}

/** The float32 nearest to x within what scales may be. */
export function toScale(x: number): number {
  return Math.fround(Math.min(MAX_SCALE, Math.max(MIN_SCALE, x)))
}

export function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/** The range of real numbers that the parameters represent. */
export function rangeOf({ dtype, scale, zeroPoint }: Params): Range {
  const [qmin, qmax] = LIMITS[dtype]
  return [(qmin - zeroPoint) * scale, (qmax - zeroPoint) * scale]
}

/**
 * Least weight scale of a channel for which its bias fits int32 with room for the accumulation
 * (onnxruntime #22020: tiny weight scales made biases saturate).
 */
export function biasGuard(bias: number, inputScale: number): number {
  return Math.abs(bias) / (inputScale * 2 ** 30)
}

/** A bias in units of the accumulator. */
export function quantizeBias(bias: number, unit: number): number {
  const limit = 2 ** 31 - 1
  return Math.min(limit, Math.max(-limit, roundHalfEven(bias / unit)))
}
