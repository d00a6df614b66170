/** Values that no sample computed (a branch that was never taken) have no range, and a made-up one would ruin them: the nodes around them stay in float. */
import { seenOf } from '../../statistics/summary.js'
import { withdrawTouching } from '../assign/withdraw.js'
import type { Method } from '../quantization.js'

export const keepUnseenFloat: Method = (quantization) => {
  const { statistics } = quantization.collected
  const unseen = [...statistics].filter(([, s]) => isUnseen(s)).map(([name]) => name)
  return withdrawTouching(quantization, unseen, 'no sample computed its values')
}

function isUnseen(statistics: Parameters<typeof seenOf>[0]): boolean {
  const { count, nonfinite } = seenOf(statistics)
  return count === 0 && nonfinite === 0
}
