/** The exponential moving average of every sample's minimum and maximum (Jacob et al. 2018, section 3.1). */
import { observer } from './observer.js'

export const movingAverage = observer({
  needs: ({ momentum = 0.1 }) => [{ kind: 'extremes', momentum }],
  range: ({ extremes: { low, high } }) => [low, high],
})
