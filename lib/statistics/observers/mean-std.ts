/** mean -+ k standard deviations, within what was seen. Default k: 4, about the best clip of 8 bits on a Gaussian. */
import { deviationOf, meanOf } from '../summary.js'
import { observer } from './observer.js'

export const meanStd = observer({
  needs: () => [{ kind: 'moments' }],
  range({ moments }, _target, { deviations = 4 }) {
    const mean = meanOf(moments)
    const reach = deviations * deviationOf(moments)
    return [Math.max(moments.min, mean - reach), Math.min(moments.max, mean + reach)]
  },
})
