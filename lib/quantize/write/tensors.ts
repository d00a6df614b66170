/** Levels, scales and zero points as the constants of a file. */

import { encodeLevel, FORMATS, type Format, roundHalfEven } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { packBits, scalar, tensorFromNumbers, tensorOf } from '../../graph/tensor.js'
import type { Range } from '../../statistics/summary.js'
import { type AffineParameters, symmetricZeroPoint } from '../scales/affine.js'
import type { Layer } from '../scales/layer.js'

/** A tensor of levels, of up to 8 bits a byte each modulo 256; types below 8 bits are packed. */
export function levelsTensor(
  format: Format,
  dims: readonly number[],
  levels: Uint8Array | Int32Array,
): ConstantTensor {
  if (!(levels instanceof Uint8Array)) return tensorFromNumbers(format.storage, dims, levels)
  const isPacked = FORMATS[format.storage].bits < 8
  return tensorOf(format.storage, dims, isPacked ? packBits(levels, format) : levels)
}

/** The scale and the zero point of a whole tensor. */
export function scalarsOf({ format, scale, zeroPoint }: AffineParameters): [ConstantTensor, ConstantTensor] {
  return [tensorOf('float32', [], Float32Array.of(scale)), scalar(format.storage, zeroPoint)]
}

/** Weights, their scales and their zero points. */
export function weightTensors(
  { format, scales, alpha, axis }: Pick<Layer, 'format' | 'scales' | 'alpha' | 'axis'>,
  dims: readonly number[],
  levels: Uint8Array,
): [ConstantTensor, ConstantTensor, ConstantTensor] {
  const real = alpha === 1 ? scales : scales.map((s) => Math.fround(s * alpha))
  const shape = axis === undefined ? [] : [scales.length]
  const zeros = new Uint8Array(scales.length).fill(encodeLevel(symmetricZeroPoint(format), format))
  return [
    levelsTensor(format, dims, levels),
    tensorOf('float32', shape, real),
    levelsTensor(format, shape, zeros),
  ]
}

/** The least and the largest element, and 0. */
export function extremesOf(values: Float32Array): Range {
  let [low, high] = [0, 0]
  for (const v of values) {
    if (v < low) low = v
    if (v > high) high = v
  }
  return [low, high]
}

/** The nearest level of every element. */
export function quantizeAll(
  values: Float32Array,
  { format, scale, zeroPoint }: AffineParameters,
): Int32Array {
  const { qmin, qmax } = format
  return Int32Array.from(values, (v) => Math.min(qmax, Math.max(qmin, roundHalfEven(v / scale) + zeroPoint)))
}
