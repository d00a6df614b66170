/** Values that no sample computed (a branch that was never taken) have no range, and a made-up one would ruin them: the nodes around them stay in float. */
import { seenOf } from '../../statistics/summary.js'
import { withdrawTouching } from '../assign/withdraw.js'
import type { Method, Quantization } from '../quantization.js'

/** Why their nodes stay in float. */
export const UNSEEN = 'no sample computed its values'

export const keepUnseenFloat: Method = (quantization) => {
  const { statistics } = quantization.collected
  const unseen = [...statistics].filter(([, s]) => isUnseen(s)).map(([name]) => name)
  return withdrawTouching(quantization, unseen, UNSEEN)
}

/** The same for values that have no statistics although they were asked for: no engine had their branch. */
export function withoutUnseen(quantization: Quantization): Quantization {
  const { values, collected } = quantization
  const unseen = values.observed.filter((name) => !collected.statistics.has(name))
  return withdrawTouching(quantization, unseen, UNSEEN)
}

function isUnseen(statistics: Parameters<typeof seenOf>[0]): boolean {
  const { count, nonfinite } = seenOf(statistics)
  return count === 0 && nonfinite === 0
}
