/** mean -+ k standard deviations, within what was seen. Default k: 4, about the best clip of 8 bits on a Gaussian. */
import { deviationOf, meanOf } from '../statistics.js'
import type { Observer } from './observer.js'

export const meanStd: Observer = {
  range(statistics, _target, { deviations = 4 }) {
    const mean = meanOf(statistics)
    const reach = deviations * deviationOf(statistics)
    return [Math.max(statistics.min, mean - reach), Math.min(statistics.max, mean + reach)]
  },
}
