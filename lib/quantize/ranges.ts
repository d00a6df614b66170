/** The parameters of every root: what the observer makes of its statistics, or what its function fixes. */
import type { Collected } from '../calibrate/collect.js'
import { observers } from '../calibrate/observers/index.js'
import type { Range } from '../calibrate/observers/observer.js'
import { clipStatistics } from '../calibrate/statistics.js'
import type { Pace } from '../event-loop.js'
import { fixedParams, type Params, paramsOf } from './params.js'
import type { Recipe } from './recipe.js'
import type { QuantizedValues } from './values.js'

const LEVELS = 256

export async function rangeParams(
  { observed, fixed, domains }: QuantizedValues,
  collected: Collected,
  recipe: Recipe['activations'],
  pace: Pace,
): Promise<ReadonlyMap<string, Params>> {
  const { type, symmetric } = recipe
  const params = new Map<string, Params>()
  for (const [root, range] of fixed) {
    params.set(root, symmetric ? paramsOf(range, type, true) : fixedParams(range, type))
  }
  for (const root of observed) {
    params.set(root, paramsOf(rangeOf(root, collected, recipe, domains.get(root)), type, symmetric))
    await pace.breathe()
  }
  return params
}

function rangeOf(
  root: string,
  { statistics, moving }: Collected,
  recipe: Recipe['activations'],
  domain: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): Range {
  const seen = statistics.get(root)
  // A branch that no sample took: any scale serves.
  if (!seen || seen.count === 0) return [0, 0]
  const averaged = moving.get(root)?.range()
  if (averaged) return [Math.max(domain[0], averaged[0]), Math.min(domain[1], averaged[1])]
  const target = { levels: LEVELS, symmetric: recipe.symmetric }
  return observers[recipe.observer].range(clipStatistics(seen, ...domain), target, recipe)
}
