/** The range of every value that has a scale of its own: what the observer makes of its statistics, or what training has learned. */
import { observers } from '../../statistics/observers/index.js'
import type { Range } from '../../statistics/summary.js'
import type { Method, ValueFormat } from '../quantization.js'

export const observedRanges: Method = async (quantization) => {
  const { values, valueFormats, collected, learnedRanges, pace } = quantization
  const ranges = new Map<string, Range>(values.fixed)
  for (const root of values.observed) {
    const learned = learnedRanges.get(root)
    if (learned) {
      ranges.set(root, learned)
      continue
    }
    const { format, symmetric, settings } = valueFormats.get(root) as ValueFormat
    const target = { format, symmetric, domain: values.domains.get(root) }
    const seen = collected.statistics.get(root)
    // A branch that no sample took: any scale serves.
    ranges.set(root, seen ? observers[settings.observer].range(seen, target, settings) : [0, 0])
    await pace.breathe()
  }
  return { ...quantization, ranges }
}
