/** Scale and zero point of the weights that share them: of their largest magnitude or range, or of least squared error. */

import { float16ToNumber, numberToFloat16 } from '../../graph/float16.js'
import { type Format, levelsOf, roundHalfEven } from '../../graph/format.js'
import { extremesOf } from '../write/tensors.js'
import { MIN_SCALE, symmetricZeroPoint, toScale } from './affine.js'

/** What weights that share it are divided by, above 0, and the level of 0. */
export interface GroupScale {
  readonly scale: number
  readonly zeroPoint: number
}

/** Shares of the range that the search of least squared error tries, after the whole. */
const SHARES = [0.97, 0.94, 0.91, 0.88, 0.84, 0.8, 0.75, 0.7, 0.6]

/** Scales of 16 bits lose nothing where a float16 has as many digits as this range gives it. */
const LEAST_FLOAT16 = 2 ** -14
const MOST_FLOAT16 = 65504

export interface GroupScaleOptions {
  readonly format: Format
  readonly symmetric: boolean
  readonly leastSquares: boolean
}

/** Of `values`, all finite. Weights that are all zero have scale 1. */
export function groupScale(values: Float32Array, options: GroupScaleOptions): GroupScale {
  const whole = options.symmetric ? symmetric(values, options.format) : asymmetric(values, options.format)
  if (!options.leastSquares) return whole
  let [best, least] = [whole, squaredError(values, whole, options.format)]
  for (const share of SHARES) {
    const tried = { ...whole, scale: rounded(whole.scale * share) }
    const error = squaredError(values, tried, options.format)
    if (error < least) [best, least] = [tried, error]
  }
  return best
}

/** The levels below zero and those above reach as far as the weights do on either side. */
function symmetric(values: Float32Array, format: Format): GroupScale {
  const zeroPoint = symmetricZeroPoint(format)
  const [low, high] = extremesOf(values)
  const scale = Math.max(-low / (zeroPoint - format.qmin), high / (format.qmax - zeroPoint))
  return { scale: scale < MIN_SCALE ? 1 : rounded(scale), zeroPoint }
}

function asymmetric(values: Float32Array, format: Format): GroupScale {
  const [low, high] = extremesOf(values)
  if (high - low < MIN_SCALE) return { scale: 1, zeroPoint: format.qmin }
  const scale = rounded((high - low) / (levelsOf(format) - 1))
  const zeroPoint = roundHalfEven(format.qmin - low / scale)
  return { scale, zeroPoint: Math.min(format.qmax, Math.max(format.qmin, zeroPoint)) }
}

/** The nearest float16 where that is as good as any: engines may then keep 16 bits of it. */
function rounded(scale: number): number {
  const fits = scale >= LEAST_FLOAT16 && scale <= MOST_FLOAT16
  return fits ? float16ToNumber(numberToFloat16(scale)) : toScale(scale)
}

/** The nearest level of a weight. */
export function groupLevel(value: number, { scale, zeroPoint }: GroupScale, { qmin, qmax }: Format): number {
  return Math.min(qmax, Math.max(qmin, roundHalfEven(value / scale) + zeroPoint))
}

function squaredError(values: Float32Array, group: GroupScale, format: Format): number {
  let sum = 0
  for (const v of values) {
    const error = v - (groupLevel(v, group, format) - group.zeroPoint) * group.scale
    sum += error * error
  }
  return sum
}
