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
  const { nested, values, collected, samples, signal, pace } = quantization
  const missing = values.observed.filter((value) => !collected.statistics.has(value))
  if (missing.length === 0 || samples.length === 0) return quantization
  const observe = rangeObservations({ ...quantization, values: { ...values, observed: missing } })
  const engine = await openEngine(nested, { observe, signal })
  try {
    for (const { sample } of samples) await engine.run(sample, [])
    const seen = await readAll(engine, observe, pace)
    const statistics = new Map<string, Statistics>([...collected.statistics, ...seen])
    const observed = { ...quantization, collected: { ...collected, statistics } }
    const left = withoutUnseen(observed)
    return left === observed ? observed : await observeMissing(left)
  } finally {
    engine.release()
  }
}
