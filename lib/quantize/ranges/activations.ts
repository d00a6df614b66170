/** The range of every value that has a scale of its own: what the observer makes of its statistics, or what training has learned. */
import { observers } from '../../statistics/observers/index.js'
import type { Moments } from '../../statistics/record.js'
import { momentsOf, type Range } from '../../statistics/summary.js'
import type { Method, ValueFormat } from '../quantization.js'

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
    ranges.set(root, seen ? observers[settings.observer].range(seen, target, settings) : [0, 0])
    await pace.breathe()
  }
  return { ...quantization, ranges }
}

/** Room that a narrowed range leaves for what other samples may show. */
const ROOM = 1.5
/** Narrower than this no range of a function is made. */
const LEAST_SHARE = 2 ** -10

/** The range of a function, halved while what was seen needs no more: attention over many tokens is far from 1. */
function narrowed(range: Range, seen: Moments | undefined): Range {
  if (!seen || seen.count === 0) return range
  let share = 1
  const fits = (part: number) => ROOM * seen.min >= range[0] * part && ROOM * seen.max <= range[1] * part
  while (share > LEAST_SHARE && fits(share / 2)) share /= 2
  return [range[0] * share, range[1] * share]
}
