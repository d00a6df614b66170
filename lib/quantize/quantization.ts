/**
 * The quantization under way: one record that every stage reads and returns with more in it. What a stage has not made
 * yet is empty. The order of the stages, and the reason of each place, is in `stages.ts`.
 */
import type { Collected } from '../calibrate/collect.js'
import type { DataSource } from '../calibrate/data.js'
import type { HeldSample } from '../calibrate/reservoir.js'
import type { Pace } from '../event-loop.js'
import type { FlatGraph } from '../graph/flatten.js'
import type { Format } from '../graph/format.js'
import type { Graph, Node } from '../graph/graph.js'
import type { Inference } from '../ops/core/infer.js'
import type { Range } from '../statistics/summary.js'
import type { Fusion, Fusions } from './assign/fusions.js'
import type { Pins } from './assign/pins.js'
import type { QuantizedValues } from './assign/quantized-values.js'
import type { WeightOnly } from './assign/weight-choice.js'
import type { Measurement } from './check/measurement.js'
import type { BiasTarget } from './correct/bias-target.js'
import type { Progress } from './progress.js'
import type { NodeSettings } from './recipe/settings.js'
import type { ActivationSettings, Recipe } from './recipe/types.js'
import type { PackedWeights } from './round/packed-weights.js'
import type { RecurrentWeights } from './round/recurrent-weights.js'
import type { Table } from './round/table.js'
import type { AffineParameters } from './scales/affine.js'
import type { Layer } from './scales/layer.js'
import type { QdqGraph } from './write/qdq-graph.js'

export interface Quantization {
  readonly recipe: Recipe
  /** What the recipe says of one node. */
  readonly settingsOf: (node: Node) => NodeSettings
  /** Undefined: nothing is quantized by scales that samples tell. */
  readonly data: DataSource | undefined
  readonly onProgress: (progress: Progress) => void
  readonly signal: AbortSignal | undefined
  readonly pace: Pace

  /**
   * prepare: the float model that is quantized; equalize may change it. The nodes of bodies (If, Loop) are among its nodes,
   * under unique names.
   */
  readonly graph: Graph
  /** prepare: the same with its bodies in their nodes: what runs. */
  readonly nested: Graph
  /** prepare: which body each node is of; undefined where there are none. */
  readonly flat: FlatGraph | undefined
  readonly inference: Inference
  /** prepare: scales by which the file multiplies integer constants. */
  readonly storedScales: readonly Float32Array[]
  /** prepare: the ranges that fake quantization in the model learned, by the name of the value. */
  readonly learnedRanges: ReadonlyMap<string, Range>

  /** assign: which nodes become integer, and which values and weights are quantized for them. */
  readonly fusions: Fusions
  readonly values: QuantizedValues
  /** assign: how each value that has a scale of its own is quantized, by its name. */
  readonly valueFormats: ReadonlyMap<string, ValueFormat>
  /** assign: the format of the weights of each weighted fusion. */
  readonly weightFormats: ReadonlyMap<Fusion, Format>
  /** assign: the nodes that pick rows of each table of embeddings, by the name of the constant. */
  readonly tables: ReadonlyMap<string, readonly Node[]>
  /** assign: the nodes whose weights are integers in the file while their activations are float, by name. */
  readonly weightOnly: ReadonlyMap<string, WeightOnly>

  /** ranges: what calibration saw. */
  readonly collected: Collected
  /** ranges: samples that are held for the stages that compute with them, and what was observed while each ran. */
  readonly samples: readonly HeldSample[]
  /** ranges: the real numbers that each value with a scale of its own must cover, by its name. */
  readonly ranges: ReadonlyMap<string, Range>

  /** scales: scale and zero point of each value with a scale of its own, by its name. */
  readonly activations: ReadonlyMap<string, AffineParameters>
  /** scales: the weighted fusions with the scales of their weights. */
  readonly layers: ReadonlyMap<Fusion, Layer>

  /** round: the levels of the weights of each layer, one byte an element, in the order of the tensor. */
  readonly levels: ReadonlyMap<Layer, Uint8Array>
  /** round: the weights of recurrent layers by the name of the node, in the order of their rule. */
  readonly recurrent: ReadonlyMap<string, readonly RecurrentWeights[]>
  /** round: the tables that int8 holds well enough, by the name of the constant. */
  readonly storedTables: ReadonlyMap<string, Table>
  /** round: the weights of weight-only formats, by the name of the node. */
  readonly packed: ReadonlyMap<string, PackedWeights>

  /** write: the quantized graph; correct changes constants of it. Undefined before. */
  readonly quantized: QdqGraph | undefined

  /** ranges: nodes that stay in float because of what the data showed of their values, by name, and why. */
  readonly withdrawn: Pins
  /** check: nodes that stay in float because of what they did to the outputs, by name, and why. */
  readonly pins: Pins
  /** check: the errors of the result on held samples. */
  readonly measured: Measurement | undefined

  /** correct: what was added to the biases, and the graph without it. */
  readonly corrections: ReadonlyMap<BiasTarget, Float64Array>
  readonly uncorrected: QdqGraph | undefined
  /** What the user should know, in the order in which it was found. */
  readonly warnings: readonly string[]
}

/** How the levels of a value are chosen. */
export interface ValueFormat {
  readonly format: Format
  /** The zero point is the middle level. */
  readonly symmetric: boolean
  /** What the recipe says of the value. */
  readonly settings: ActivationSettings
}

/** Scale and zero point of a quantized value, whichever value has them. */
export function parametersOf({ values, activations }: Quantization, value: string): AffineParameters {
  const found = activations.get(values.values.get(value)?.root ?? '')
  if (!found) throw new RangeError(`value ${value} has no scale`)
  return found
}

/** One line of a stage: the record with more in it. */
export type Method = (quantization: Quantization) => Quantization | Promise<Quantization>
