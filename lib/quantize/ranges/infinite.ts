/** Values that were infinite or NaN in some sample (masks) have no 8-bit form: the nodes around them stay in float. */
import { seenOf } from '../../statistics/summary.js'
import { withdrawTouching } from '../assign/withdraw.js'
import type { Method } from '../quantization.js'

export const keepInfiniteFloat: Method = (quantization) => {
  const { statistics } = quantization.collected
  const infinite = [...statistics].filter(([, s]) => seenOf(s).nonfinite > 0).map(([name]) => name)
  return withdrawTouching(quantization, infinite, 'its values are not always finite')
}
