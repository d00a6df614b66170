/**
 * Statistics of values that calibration did not observe, because they got a scale of their own only when the data had taken
 * nodes out of the assignment: the held samples tell them. A range is never made up.
 */
import { readAll } from '../../calibrate/collect.js'
import { openEngine } from '../../calibrate/engine.js'
import type { Statistics } from '../../statistics/record.js'
import type { Method } from '../quantization.js'
import { rangeObservations } from './calibrate.js'
import { withoutUnseen } from './unseen.js'

export const observeMissing: Method = async (quantization) => {
  const { nested, collected, samples, signal, pace } = quantization
  if (samples.length === 0) return quantization
  // A value whose range a function fixed until now has other statistics than one whose range the data tells.
  const observe = rangeObservations(quantization).filter(
    ({ value, kind }) => !collected.statistics.get(value)?.[kind],
  )
  if (observe.length === 0) return quantization
  const engine = await openEngine(nested, { observe, signal })
  try {
    for (const { sample } of samples) await engine.run(sample, [])
    const seen = await readAll(engine, observe, pace)
    const statistics = new Map<string, Statistics>(collected.statistics)
    for (const [value, more] of seen) statistics.set(value, { ...statistics.get(value), ...more })
    const observed = { ...quantization, collected: { ...collected, statistics } }
    const left = withoutUnseen(observed)
    return left === observed ? observed : await observeMissing(left)
  } finally {
    engine.release()
  }
}
