/** The range of every value that has a scale of its own: what the observer makes of its statistics. */
import type { Collected } from '../../calibrate/collect.js'
import { observers } from '../../calibrate/observers/index.js'
import type { Range } from '../../calibrate/observers/observer.js'
import { clipStatistics } from '../../calibrate/statistics.js'
import { levelsOf } from '../../graph/format.js'
import type { Method, ValueFormat } from '../quantization.js'
import type { Recipe } from '../recipe/recipe.js'

const ALL: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

export const observedRanges: Method = async (quantization) => {
  const { values, valueFormats, collected, recipe, pace } = quantization
  const ranges = new Map<string, Range>(values.fixed)
  for (const root of values.observed) {
    const format = valueFormats.get(root) as ValueFormat
    const domain = values.domains.get(root) ?? ALL
    ranges.set(root, rangeOf(root, collected, recipe.activations, format, domain))
    await pace.breathe()
  }
  return { ...quantization, ranges }
}

function rangeOf(
  root: string,
  { statistics, moving }: Collected,
  settings: Recipe['activations'],
  { format, symmetric }: ValueFormat,
  domain: Range,
): Range {
  const seen = statistics.get(root)
  // A branch that no sample took: any scale serves.
  if (!seen || seen.count === 0) return [0, 0]
  const averaged = moving.get(root)?.range()
  if (averaged) return [Math.max(domain[0], averaged[0]), Math.min(domain[1], averaged[1])]
  const target = { levels: levelsOf(format), symmetric }
  return observers[settings.observer].range(clipStatistics(seen, ...domain), target, settings)
}
