/** What a quantization did, as plain JSON. */
import type { Collected } from '../calibrate/collect.js'
import { deviationOf, meanOf } from '../calibrate/statistics.js'
import type { Graph } from '../graph/graph.js'
import type { Inserted } from './insert.js'
import { type Params, rangeOf } from './params.js'
import type { Product } from './products.js'
import type { QuantizedType } from './recipe.js'
import type { Unit, Units } from './units.js'
import type { QuantizedValues } from './values.js'

export interface QuantizedValueReport {
  readonly name: string
  /** Real values that the 8 bits cover. */
  readonly low: number
  readonly high: number
  readonly scale: number
  readonly zeroPoint: number
  readonly type: QuantizedType
  /** What calibration saw; absent where the function fixes the range. */
  readonly seen?: {
    readonly min: number
    readonly max: number
    readonly mean: number
    readonly deviation: number
  }
}

export interface QuantizedWeightsReport {
  readonly name: string
  readonly node: string
  readonly dims: readonly number[]
  /** 1 or the number of channels. */
  readonly scales: number
  readonly smallestScale: number
  readonly largestScale: number
}

export interface QuantizationReport {
  /** Samples that calibrated. */
  readonly samples: number
  /** Nodes that compute in integers, activations that they absorb included. */
  readonly integer: readonly { readonly node: string; readonly opType: string }[]
  /** Nodes that compute floats, and why. */
  readonly float: readonly { readonly node: string; readonly opType: string; readonly reason: string }[]
  readonly values: readonly QuantizedValueReport[]
  readonly weights: readonly QuantizedWeightsReport[]
  readonly biasCorrection?: { readonly samples: number; readonly layers: number }
  readonly warnings: readonly string[]
}

export interface ReportInput {
  readonly graph: Graph
  readonly units: Units
  readonly values: QuantizedValues
  readonly params: ReadonlyMap<string, Params>
  readonly products: ReadonlyMap<Unit, Product>
  readonly inserted: Inserted
  readonly collected: Collected
}

export function reportOf({
  graph,
  units,
  params,
  products,
  inserted,
  collected,
}: ReportInput): QuantizationReport {
  const integer = units.integer.flatMap((u) => [u.node, ...u.absorbed])
  const warnings = [...products.values()].flatMap((p) => p.warning ?? [])
  for (const [name, seen] of collected.statistics) {
    if (params.has(name) && seen.count === 0) warnings.push(`'${name}' was never computed by a sample`)
  }
  return {
    samples: collected.samples,
    integer: integer.map(({ name, opType }) => ({ node: name, opType })),
    float: graph.nodes.flatMap(({ name, opType }) => {
      const reason = units.float.get(name)
      return reason === undefined ? [] : [{ node: name, opType, reason }]
    }),
    values: [...params, ...inserted.operands].map(([name, p]) => valueReport(name, p, collected)),
    weights: [...products.values()].map(weightsReport),
    warnings,
  }
}

function valueReport(name: string, params: Params, { statistics }: Collected): QuantizedValueReport {
  const [low, high] = rangeOf(params)
  const { scale, zeroPoint, dtype } = params
  const report = { name, low, high, scale, zeroPoint, type: dtype }
  const seen = statistics.get(name)
  if (!seen || seen.count === 0) return report
  const { min, max } = seen
  return { ...report, seen: { min, max, mean: meanOf(seen), deviation: deviationOf(seen) } }
}

function weightsReport({ unit, weights }: Product): QuantizedWeightsReport {
  return {
    name: unit.weights ?? '',
    node: unit.node.name,
    dims: weights.dims,
    scales: weights.scales.length,
    smallestScale: weights.scales.reduce((a, b) => Math.min(a, b)),
    largestScale: weights.scales.reduce((a, b) => Math.max(a, b)),
  }
}
