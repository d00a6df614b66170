/** Scale and zero point of every value, from its range and its format. */
import type { Range } from '../../statistics/summary.js'
import type { Method, ValueFormat } from '../quantization.js'
import { type AffineParameters, affineOf, fixedAffine } from './affine.js'

export const activationScales: Method = (quantization) => {
  const { values, valueFormats, ranges } = quantization
  const activations = new Map<string, AffineParameters>()
  for (const [root, range] of ranges) {
    activations.set(root, parameters(range, valueFormats.get(root) as ValueFormat, values.fixed.has(root)))
  }
  return { ...quantization, activations }
}

function parameters(range: Range, { format, symmetric }: ValueFormat, fixed: boolean): AffineParameters {
  return fixed && !symmetric ? fixedAffine(range, format) : affineOf(range, format, symmetric)
}
