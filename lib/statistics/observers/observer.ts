/** An observer says which statistics it needs of a value, and turns them into the range that its quantized form covers. */
import { OctavoError } from '../../errors.js'
import type { Format } from '../../graph/format.js'
import type { StatisticRequest } from '../observation.js'
import type { StatisticKind, StatisticRecord, Statistics } from '../record.js'
import { clipStatistics, type Range, seenOf, UNBOUNDED } from '../summary.js'

/** What the range is for. */
interface RangeTarget {
  /** The numbers that will stand for the values; its levels are what the range is divided into. */
  readonly format: Format
  /** The range will be widened to [-m, m]. */
  readonly symmetric: boolean
  /** What lies outside makes no difference to whoever reads the value; default: everything matters. */
  readonly domain?: Range
}

interface ObserverOptions {
  /** percentile: share of the elements, in percent, that the range covers. */
  readonly percentile?: number
  /** mean-std: half width of the range in standard deviations. */
  readonly deviations?: number
  /** moving-average: weight of a new sample. */
  readonly momentum?: number
}

export interface Observer {
  /** The statistics that `range` is given. */
  needs(options: ObserverOptions): readonly StatisticRequest[]
  /**
   * Low and high end, low <= high. The answer need not contain 0: that is the business of whoever makes scales of it.
   * Throws ERR_INTERNAL where a statistic is missing.
   */
  range(statistics: Statistics, target: RangeTarget, options: ObserverOptions): Range
}

interface Definition<K extends StatisticKind> {
  readonly needs: (options: ObserverOptions) => readonly (StatisticRequest & { readonly kind: K })[]
  /** Elements were seen. */
  readonly range: (
    statistics: { readonly [P in K]: StatisticRecord<P> },
    target: RangeTarget,
    options: ObserverOptions,
  ) => Range
}

/** An observer of its two halves: `range` sees the statistics that `needs` names, clipped to the domain of the target. */
export function observer<K extends StatisticKind>({ needs, range }: Definition<K>): Observer {
  return {
    needs,
    range(statistics, target, options) {
      for (const { kind } of needs(options)) {
        if (!statistics[kind]) throw new OctavoError('ERR_INTERNAL', `Statistic '${kind}' was not gathered.`)
      }
      // A branch that no sample took: any scale serves.
      if (seenOf(statistics).count === 0) return [0, 0]
      const clipped = clipStatistics(statistics, target.domain ?? UNBOUNDED)
      return range(clipped as { readonly [P in K]: StatisticRecord<P> }, target, options)
    },
  }
}
