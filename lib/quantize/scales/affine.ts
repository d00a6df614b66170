/** Scale and zero point of a range: computed in float64, then rounded once to the float32 that the file holds. */
import { type Format, levelsOf, middleOf, roundHalfEven } from '../../graph/format.js'
import type { Range } from '../../statistics/summary.js'

/** `real = (level - zeroPoint) * scale`. */
export interface AffineParameters {
  readonly format: Format
  /** A float32, finite and positive. */
  readonly scale: number
  readonly zeroPoint: number
}

/** The product of two scales of this size is still a normal float32. */
export const MIN_SCALE = 2 ** -63
const MAX_SCALE = 2 ** 120

/** The zero point of symmetric quantization: the middle of the type, or of the levels in use where that is not among them. */
export function symmetricZeroPoint(format: Format): number {
  const { qmin, qmax } = format
  const middle = middleOf(format)
  return qmin < middle && middle < qmax ? middle : Math.floor((qmin + qmax + 1) / 2)
}

/**
 * Parameters that cover `range`, widened to contain 0, which every range must represent exactly (padding, Relu).
 * Symmetric: the zero point is in the middle, and the scale covers the longer side. An empty range gets scale 1.
 */
export function affineOf(range: Range, format: Format, symmetric: boolean): AffineParameters {
  const low = Math.min(0, range[0])
  const high = Math.max(0, range[1])
  const { qmin, qmax } = format
  const middle = symmetricZeroPoint(format)
  if (low === 0 && high === 0) return { format, scale: 1, zeroPoint: symmetric ? middle : qmin }
  if (symmetric) {
    return {
      format,
      scale: toScale(Math.max(-low, high) / Math.min(qmax - middle, middle - qmin)),
      zeroPoint: middle,
    }
  }
  const scale = toScale((high - low) / (qmax - qmin))
  const zeroPoint = Math.min(qmax, Math.max(qmin, roundHalfEven(qmin - low / scale)))
  return { format, scale, zeroPoint }
}

/** Parameters of a function whose values lie in a fixed range: a level for each step, so that the scale is a power of two (1/256 for [0, 1] and 8 bits). */
export function fixedAffine(range: Range, format: Format): AffineParameters {
  const scale = Math.fround((range[1] - range[0]) / levelsOf(format))
  return { format, scale, zeroPoint: format.qmin - roundHalfEven(range[0] / scale) }
}

/** The float32 nearest to x within what scales may be. */
export function toScale(x: number): number {
  return Math.fround(Math.min(MAX_SCALE, Math.max(MIN_SCALE, x)))
}

/** The range of real numbers that the parameters represent. */
export function rangeOf({ format, scale, zeroPoint }: AffineParameters): Range {
  return [(format.qmin - zeroPoint) * scale, (format.qmax - zeroPoint) * scale]
}
