/** What a quantization did, as plain JSON. */
import type { Collected } from '../calibrate/collect.js'
import { FORMATS, type Format, isSigns, type QuantizedDType } from '../graph/format.js'
import type { Graph } from '../graph/graph.js'
import { elementCount, floatsOf } from '../graph/tensor.js'
import type { QuantizeRule } from '../ops/core/opdef.js'
import { deviationOf, meanOf, momentsOf } from '../statistics/summary.js'
import { productsOf } from './gained.js'
import type { Quantization } from './quantization.js'
import { UNSEEN } from './ranges/unseen.js'
import { type AffineParameters, rangeOf } from './scales/affine.js'
import type { Layer } from './scales/layer.js'
import { mixedActivations } from './write/block-activations.js'

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
  /** Type of its integers; `w1`: signs. */
  readonly type: QuantizedDType | 'w1'
  /** How many scales it has: 1, one for each output channel, or one for each row (or block of it) that nodes pick. */
  readonly scales: number
  /** The smallest of its scales, in magnitude. */
  readonly smallestScale: number
  /** The largest of its scales, in magnitude. */
  readonly largestScale: number
  /** Bits of a weight in the file, scales and zero points included. */
  readonly bitsPerWeight: number
  /** Weights that share a scale, where they are groups of a channel. */
  readonly group?: number
  /** How the file states weights whose activations are float there. */
  readonly file?: 'dq' | 'nbits'
  /** Why that is `dq` where the recipe asks for `nbits`. */
  readonly fileReason?: string
}

/** The float model and the result on the same samples. */
export interface QuantizationCheck {
  /** Samples that both ran. */
  readonly samples: number
  /** Float outputs. */
  readonly outputs: readonly {
    /** Its name. */
    readonly name: string
    /** Signal to quantization noise in dB, all samples as one vector; null where nothing differs. */
    readonly sqnr: number | null
    /** Share of the rows along the last axis whose largest element stayed where it was; for outputs of rank 1 to 3 with at least two columns. */
    readonly top1Agreement?: number
  }[]
  /** Quantized values, those with most error first: all error up to the value, and that of its own scale alone, in dB. */
  readonly values: readonly {
    /** Its name in the prepared model. */
    readonly name: string
    /** SQNR against the float model, relative to the variance of the value; null where nothing differs. */
    readonly sqnr: number | null
    /** The same for the float value rounded by the scale of the value alone; absent where it has none. */
    readonly rounding?: number | null
  }[]
  /** Nodes that the check took to float. */
  readonly repaired: readonly string[]
}

/** What a quantization did, as plain JSON. */
export interface QuantizationReport {
  /** Samples that calibrated. */
  readonly samples: number
  /** Products (Conv, ConvTranspose, Gemm, MatMul and recurrent ones): what quantization is for. */
  readonly products: {
    /** How many compute in integers. */
    readonly integer: number
    /** How many have integer weights in the file, and float activations there. */
    readonly weightOnly: number
    /** How many there are. */
    readonly total: number
    /** Their operators, in the order of the model. */
    readonly opTypes: readonly string[]
  }
  /** Bytes of the models, external data included. */
  readonly bytes: {
    /** Of the float model. */
    readonly float: number
    /** Of the file that was made. */
    readonly quantized: number
  }
  /** Nodes that compute in integers, activations fused to them included. */
  readonly integer: readonly {
    /** Its name. */
    readonly node: string
    /** Its operator. */
    readonly opType: string
    /** Why it computes in integers. */
    readonly reason: string
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
  /** How the result did on samples that calibrated; absent where the recipe turns the check off, or there were no samples. */
  readonly check?: QuantizationCheck
  /** What the user should know of, a sentence each: outputs that suffered and the node to blame, sums that could exceed int32, data that tells little. */
  readonly warnings: readonly string[]
}

/** The report of a quantization that went through all its stages. */
export function reportOf(quantization: Quantization, bytes: QuantizationReport['bytes']): QuantizationReport {
  const { graph, fusions, activations, layers, quantized, collected, samples, recipe } = quantization
  const { integer, float, weightOnly } = productsOf(quantization)
  const products = new Set([...integer, ...float, ...weightOnly])
  const warnings = [...quantization.warnings, ...mixedActivations(quantization)]
  if (bytes.quantized > bytes.float) {
    const times = (bytes.quantized / bytes.float).toFixed(2)
    warnings.push(
      `the file is ${times} times larger than the float model: its weights are few, or not in float32`,
    )
  }
  const unseen = float.filter(({ name }) => fusions.float.get(name) === UNSEEN)
  if (unseen.length > 0) {
    warnings.push(
      `${unseen.length} products stay in float because no sample computed their values, such as '${unseen[0]?.name}': give samples that take every branch`,
    )
  }
  const correction = { samples: samples.length, layers: quantization.corrections.size }
  return {
    samples: collected.samples,
    products: {
      integer: integer.length,
      weightOnly: weightOnly.length,
      total: products.size,
      opTypes: [...new Set(graph.nodes.filter((n) => products.has(n)).map(({ opType }) => opType))],
    },
    bytes,
    integer: [
      ...fusions.integer.flatMap(({ node, rule, fused }) =>
        [node, ...fused].map(({ name, opType }) => ({ node: name, opType, reason: REASONS[rule.kind] })),
      ),
      ...runningProducts(quantization),
    ],
    float: graph.nodes.flatMap(({ name, opType, inputs: [table = ''] }) => {
      const reason = fusions.float.get(name)
      const picksLevels = quantization.storedTables.has(table)
      return reason === undefined || picksLevels ? [] : [{ node: name, opType, reason }]
    }),
    values: [...activations, ...(quantized?.operands ?? [])].map(([name, p]) =>
      valueReport(name, p, collected),
    ),
    weights: [
      ...[...layers.values()].map((layer) => weightsReport(layer, graph)),
      ...recurrentReports(quantization),
      ...tableReports(quantization),
      ...weightOnlyReports(quantization),
    ],
    ...(recipe.biasCorrection && samples.length > 0 ? { biasCorrection: correction } : {}),
    ...checkReport(quantization),
    warnings,
  }
}

const REASONS: Readonly<Record<QuantizeRule['kind'], string>> = {
  weighted: 'an integer product',
  activation: 'between integer products, where integers cost less',
  recurrent: 'an integer product of the sequence, and int8 weights of a state in float',
  shared: 'moves integers between integer products',
}

const RUNNING = 'an integer product, of activations that are quantized while running'

function runningProducts({ weightOnly }: Quantization): QuantizationReport['integer'] {
  return [...weightOnly.values()].flatMap(({ node: { name, opType }, form, isSign }) => {
    const running = form.kind === 'dynamic' ? RUNNING : undefined
    const reason = isSign ? 'a product of signs, which counts bits' : running
    return reason === undefined ? [] : [{ node: name, opType, reason }]
  })
}

/** The worst values that a report lists. */
const MOST_VALUES = 32

function checkReport({ measured, pins }: Quantization): Pick<QuantizationReport, 'check'> {
  if (!measured) return {}
  const values = [...measured.values].sort(([, a], [, b]) => b.total - a.total).slice(0, MOST_VALUES)
  return {
    check: {
      samples: measured.samples,
      outputs: measured.outputs.map(({ name, sqnr, rows, agreeing }) => ({
        name,
        sqnr: finite(sqnr),
        ...(rows > 0 ? { top1Agreement: agreeing / rows } : {}),
      })),
      values: values.map(([name, { total, rounding }]) => ({
        name,
        sqnr: finite(-10 * Math.log10(total)),
        ...(rounding === undefined ? {} : { rounding: finite(-10 * Math.log10(rounding)) }),
      })),
      repaired: [...pins.keys()],
    },
  }
}

/** JSON has no infinity: it stands for no difference. */
function finite(decibels: number): number | null {
  return decibels === Number.POSITIVE_INFINITY ? null : Math.max(decibels, -999)
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

function recurrentReports({ fusions, recurrent }: Quantization): QuantizedWeightsReport[] {
  return fusions.integer.flatMap(({ node }) =>
    (recurrent.get(node.name) ?? []).map(({ name, dims, format, scales }) => ({
      name,
      node: node.name,
      dims,
      ...scalesReport(dims, format, scales),
    })),
  )
}

function tableReports({ tables, storedTables }: Quantization): QuantizedWeightsReport[] {
  return [...storedTables].map(([name, { dims, scales }]) => ({
    name,
    node: tables.get(name)?.[0]?.name ?? '',
    dims,
    ...scalesReport(dims, FORMATS.int8, scales, 0),
  }))
}

function weightOnlyReports({ graph, weightOnly, packed }: Quantization): QuantizedWeightsReport[] {
  return [...weightOnly].flatMap(([node, { weights, format, granularity, form }]) => {
    const made = packed.get(node)
    const dims = graph.constants.get(weights)?.dims
    if (!made || !dims) return []
    const { scales, zeroPoints } = made
    const group = granularity.kind === 'block' ? { group: granularity.size } : {}
    const stored = scalesReport(dims, format, floatsOf(scales), zeroPoints ? format.bits : 0)
    const reason = form.kind === 'dq' && form.reason !== undefined ? { fileReason: form.reason } : {}
    const file = form.kind === 'dynamic' ? {} : { file: form.kind }
    return [{ name: weights, node, dims, ...stored, ...group, ...file, ...reason }]
  })
}

function weightsReport({ fusion, weights, format, scales }: Layer, graph: Graph): QuantizedWeightsReport {
  const dims = graph.constants.get(weights)?.dims ?? []
  return { name: weights, node: fusion.node.name, dims, ...scalesReport(dims, format, scales) }
}

/** `zeroBits`: of one zero point; 0 where the file has none. */
function scalesReport(
  dims: readonly number[],
  format: Format,
  scales: Float32Array,
  zeroBits = format.bits,
): Omit<QuantizedWeightsReport, 'name' | 'node' | 'dims' | 'group'> {
  const count = Math.max(1, elementCount(dims))
  const signs = isSigns(format)
  const bits = signs ? signBits(dims, scales.length) : format.bits * count + (32 + zeroBits) * scales.length
  return {
    type: signs ? 'w1' : format.storage,
    bitsPerWeight: Number((bits / count).toFixed(3)),
    scales: scales.length,
    smallestScale: scales.map(Math.abs).reduce((a, b) => Math.min(a, b)),
    largestScale: scales.map(Math.abs).reduce((a, b) => Math.max(a, b)),
  }
}

/** Of a bit for each weight: channels, or the first axis, begin with a byte of their own, and have their two numbers. */
function signBits(dims: readonly number[], scales: number): number {
  const rows = scales > 1 ? scales : (dims[0] ?? 1)
  return rows * 8 * Math.ceil(elementCount(dims) / Math.max(1, rows) / 8) + 64 * scales
}
