/** The errors of quantized values, as shares of the variance that calibration saw. */
import { formatOf } from '../../graph/format.js'
import { definedNames } from '../../graph/subgraph.js'
import { numbersOf } from '../../graph/tensor.js'
import type { Moments, Statistics } from '../../statistics/record.js'
import { deviationOf, momentsOf } from '../../statistics/summary.js'
import type { Quantization } from '../quantization.js'
import type { AffineParameters } from '../scales/affine.js'
import type { QdqGraph } from '../write/qdq-graph.js'
import { named } from './joint.js'
import type { ValueError } from './measurement.js'
import { changedParts } from './parts.js'
import { roundingError } from './rounding.js'

/** What changed nodes read and make, but for what bodies make anew each time that they run. */
export function comparedValues(quantization: Quantization): ReadonlySet<string> {
  const { nested } = quantization
  const own = definedNames(nested)
  const values = new Set<string>()
  for (const { node, inputs, results } of changedParts(quantization)) {
    for (const name of [...inputs.map((i) => node.inputs[i] ?? ''), ...results]) {
      if (own.has(name) && !nested.constants.has(name)) values.add(name)
    }
  }
  return values
}

/** What calibration saw of a value, or of the one that was moved there. */
export function seenOf({ collected, values }: Quantization, name: string): Statistics {
  const root = values.values.get(name)?.root ?? name
  return collected.statistics.get(name) ?? collected.statistics.get(root) ?? {}
}

/** `observed`: moments of the errors in the joint graph, and of values of which calibration saw nothing. */
export function errorsOf(
  quantization: Quantization,
  qdq: QdqGraph,
  compared: Iterable<string>,
  observed: ReadonlyMap<string, Statistics>,
): ReadonlyMap<string, ValueError> {
  const errors = new Map<string, ValueError>()
  for (const name of compared) {
    const statistics = { ...observed.get(name), ...seenOf(quantization, name) }
    const [seen, error] = [momentsOf(statistics), momentsOf(observed.get(named.error(name)) ?? {})]
    if (!seen || !error || seen.count === 0 || error.count + error.nonfinite === 0) continue
    const power = variance(seen)
    const parameters = parametersIn(qdq, name)
    const rounding = parameters && roundingError(statistics, parameters)
    errors.set(name, {
      total: error.nonfinite > 0 ? Number.POSITIVE_INFINITY : error.sumOfSquares / error.count / power,
      rounding: rounding === undefined ? undefined : rounding / power,
    })
  }
  return errors
}

/** Scale and zero point of a value as the file has them. */
function parametersIn({ graph, values }: QdqGraph, name: string): AffineParameters | undefined {
  const [scale, zeroPoint] = (values.get(name)?.parameters ?? []).map((p) => graph.constants.get(p))
  const format = zeroPoint && formatOf(zeroPoint.dtype)
  if (!scale || !zeroPoint || !format) return undefined
  return { format, scale: numbersOf(scale)[0] ?? 1, zeroPoint: numbersOf(zeroPoint)[0] ?? 0 }
}

/** Of one element; of a value that does not vary, a little of its power. */
function variance(moments: Moments): number {
  const { count, sumOfSquares } = moments
  return Math.max(deviationOf(moments) ** 2, (1e-9 * sumOfSquares) / count, Number.MIN_VALUE)
}
