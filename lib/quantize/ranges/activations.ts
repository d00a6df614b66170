/** The range of every value that has a scale of its own: what the observer makes of its statistics, or what training has learned. */
import { observers } from '../../statistics/observers/index.js'
import { momentsOf, type Range, seenOf } from '../../statistics/summary.js'
import type { Method, ValueFormat } from '../quantization.js'
import { narrowed, widened } from './room.js'

export const observedRanges: Method = async (quantization) => {
  const { values, valueFormats, collected, learnedRanges, pace } = quantization
  const ranges = new Map<string, Range>()
  for (const [root, range] of values.fixed) {
    ranges.set(root, narrowed(range, momentsOf(collected.statistics.get(root) ?? {})))
  }
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
    const range: Range = seen ? observers[settings.observer].range(seen, target, settings) : [0, 0]
    ranges.set(root, widened(range, seenOf(seen ?? {}).count, target.domain))
    await pace.breathe()
  }
  return { ...quantization, ranges }
}
