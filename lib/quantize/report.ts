/** What a quantization did, as plain JSON. */
import type { Collected } from '../calibrate/collect.js'
import type { QuantizedDType } from '../graph/format.js'
import type { Graph } from '../graph/graph.js'
import { deviationOf, meanOf, momentsOf, seenOf } from '../statistics/summary.js'
import type { Quantization } from './quantization.js'
import { type AffineParameters, rangeOf } from './scales/affine.js'
import type { Layer } from './scales/layers.js'

export interface QuantizedValueReport {
  readonly name: string
  /** Real values that the 8 bits cover. */
  readonly low: number
  readonly high: number
  readonly scale: number
  readonly zeroPoint: number
  readonly type: QuantizedDType
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
  /** Nodes that compute in integers, activations fused to them included. */
  readonly integer: readonly { readonly node: string; readonly opType: string }[]
  /** Nodes that compute floats, and why. */
  readonly float: readonly { readonly node: string; readonly opType: string; readonly reason: string }[]
  readonly values: readonly QuantizedValueReport[]
  readonly weights: readonly QuantizedWeightsReport[]
  readonly biasCorrection?: { readonly samples: number; readonly layers: number }
  readonly warnings: readonly string[]
}

/** The report of a quantization that went through all its stages. */
export function reportOf(quantization: Quantization): QuantizationReport {
  const { graph, fusions, activations, layers, quantized, collected, samples, recipe } = quantization
  const integer = fusions.integer.flatMap((f) => [f.node, ...f.fused])
  const warnings = [...quantization.warnings]
  for (const [name, seen] of collected.statistics) {
    if (activations.has(name) && seenOf(seen).count === 0)
      warnings.push(`'${name}' was never computed by a sample`)
  }
  const correction = { samples: samples.length, layers: quantization.correctedLayers }
  return {
    samples: collected.samples,
    integer: integer.map(({ name, opType }) => ({ node: name, opType })),
    float: graph.nodes.flatMap(({ name, opType }) => {
      const reason = fusions.float.get(name)
      return reason === undefined ? [] : [{ node: name, opType, reason }]
    }),
    values: [...activations, ...(quantized?.operands ?? [])].map(([name, p]) =>
      valueReport(name, p, collected),
    ),
    weights: [...layers.values()].map((layer) => weightsReport(layer, graph)),
    ...(recipe.biasCorrection ? { biasCorrection: correction } : {}),
    warnings,
  }
}

function valueReport(
  name: string,
  parameters: AffineParameters,
  { statistics }: Collected,
): QuantizedValueReport {
  const [low, high] = rangeOf(parameters)
  const { scale, zeroPoint, format } = parameters
  const report = { name, low, high, scale, zeroPoint, type: format.storage }
  const seen = momentsOf(statistics.get(name) ?? {})
  if (!seen || seen.count === 0) return report
  const { min, max } = seen
  return { ...report, seen: { min, max, mean: meanOf(seen), deviation: deviationOf(seen) } }
}

function weightsReport({ fusion, weights, scales }: Layer, graph: Graph): QuantizedWeightsReport {
  return {
    name: weights,
    node: fusion.node.name,
    dims: graph.constants.get(weights)?.dims ?? [],
    scales: scales.length,
    smallestScale: scales.reduce((a, b) => Math.min(a, b)),
    largestScale: scales.reduce((a, b) => Math.max(a, b)),
  }
}
