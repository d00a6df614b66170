/** Values that were infinite or NaN in some sample (masks) have no 8-bit form: the nodes around them stay in float. */
import { seenOf } from '../../statistics/summary.js'
import { withFusions } from '../assign/assign.js'
import { withdrawTouching } from '../assign/withdraw.js'
import type { Method } from '../quantization.js'

export const keepInfiniteFloat: Method = (quantization) => {
  const { fusions, collected } = quantization
  const infinite = [...collected.statistics].filter(([, s]) => seenOf(s).nonfinite > 0).map(([name]) => name)
  const kept = withdrawTouching(fusions, infinite, 'its values are not always finite')
  return kept === fusions ? quantization : withFusions(quantization, kept)
}
