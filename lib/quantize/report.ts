/** What a quantization did, as plain JSON. */
import type { Collected } from '../calibrate/collect.js'
import type { QuantizedDType } from '../graph/format.js'
import type { Graph } from '../graph/graph.js'
import { deviationOf, meanOf, momentsOf, seenOf } from '../statistics/summary.js'
import type { Quantization } from './quantization.js'
import { type AffineParameters, rangeOf } from './scales/affine.js'
import type { Layer } from './scales/layer.js'

/** A value between nodes that the file quantizes. Real values are in the unit of the float model. */
export interface QuantizedValueReport {
  /** Its name in the prepared model. */
  readonly name: string
  /** The smallest real value that the integers cover. */
  readonly low: number
  /** The largest real value that the integers cover. */
  readonly high: number
  /** What one step of the integers is worth. */
  readonly scale: number
  /** The integer that stands for 0. */
  readonly zeroPoint: number
  /** Type of the integers. */
  readonly type: QuantizedDType
  /** What calibration saw; absent where the function fixes the range. */
  readonly seen?: {
    /** The smallest element of all samples. */
    readonly min: number
    /** The largest element of all samples. */
    readonly max: number
    /** The mean over all elements of all samples. */
    readonly mean: number
    /** The standard deviation over all elements of all samples. */
    readonly deviation: number
  }
}

/** A weight tensor that the file quantizes. */
export interface QuantizedWeightsReport {
  /** Its name in the prepared model. */
  readonly name: string
  /** Name of the node that it belongs to. */
  readonly node: string
  /** Sizes, outermost first. */
  readonly dims: readonly number[]
  /** How many scales it has: 1, one for each output channel, or one for each row (or block of it) that nodes pick. */
  readonly scales: number
  /** The smallest of its scales. */
  readonly smallestScale: number
  /** The largest of its scales. */
  readonly largestScale: number
}

/** What a quantization did, as plain JSON. */
export interface QuantizationReport {
  /** Samples that calibrated. */
  readonly samples: number
  /** Nodes that compute in integers, activations fused to them included. */
  readonly integer: readonly {
    /** Its name. */
    readonly node: string
    /** Its operator. */
    readonly opType: string
  }[]
  /** Nodes that compute floats, and why. */
  readonly float: readonly {
    /** Its name. */
    readonly node: string
    /** Its operator. */
    readonly opType: string
    /** Why it does not compute in integers. */
    readonly reason: string
  }[]
  /** Values between nodes that are quantized, inputs included, with their ranges and scales. */
  readonly values: readonly QuantizedValueReport[]
  /** Weight tensors that are quantized, with their scales. */
  readonly weights: readonly QuantizedWeightsReport[]
  /** What bias correction did; absent where the recipe leaves it out. */
  readonly biasCorrection?: {
    /** Samples that it held, of those that calibrated. */
    readonly samples: number
    /** Layers whose bias it changed. */
    readonly layers: number
  }
  /** What the user should know of, a sentence each: values that no sample computed, sums that could exceed int32. */
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
    weights: [
      ...[...layers.values()].map((layer) => weightsReport(layer, graph)),
      ...tableReports(quantization),
    ],
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

function tableReports({ tables, storedTables }: Quantization): QuantizedWeightsReport[] {
  return [...storedTables].map(([name, { dims, scales }]) => ({
    name,
    node: tables.get(name)?.[0]?.name ?? '',
    dims,
    scales: scales.length,
    smallestScale: scales.reduce((a, b) => Math.min(a, b)),
    largestScale: scales.reduce((a, b) => Math.max(a, b)),
  }))
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
