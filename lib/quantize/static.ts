/** Static quantization of a prepared float graph: calibrate, choose ranges, insert quantizers, correct biases. */
import { type Collected, collect } from '../calibrate/collect.js'
import type { DataSource } from '../calibrate/data.js'
import type { Engine, Observation } from '../calibrate/engine.js'
import { DEFAULT_MOMENTUM } from '../calibrate/observers/moving-average.js'
import { Reservoir } from '../calibrate/reservoir.js'
import { Pace } from '../event-loop.js'
import type { Graph } from '../graph/graph.js'
import { type Inference, inferGraph } from '../ops/core/infer.js'
import { correctBiases } from './bias-correction.js'
import { correctionTargets, withCorrections } from './corrections.js'
import { insertQuantizers } from './insert.js'
import { addedBias, quantizeProducts } from './products.js'
import type { Progress } from './progress.js'
import { rangeParams } from './ranges.js'
import { excluder, type Recipe } from './recipe.js'
import { type QuantizationReport, reportOf } from './report.js'
import { findUnits, outputChannelAxis, type Unit, type Units } from './units.js'
import { findQuantizedValues } from './values.js'

/** Samples that bias correction holds, and the bytes they may take. */
const HELD_SAMPLES = 32
const HELD_BYTES = 32 * 2 ** 20

export interface StaticOptions {
  readonly data: DataSource
  readonly recipe: Recipe
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export interface StaticResult {
  readonly graph: Graph
  readonly report: QuantizationReport
}

export async function quantizeGraph(
  graph: Graph,
  info: Inference,
  options: StaticOptions,
): Promise<StaticResult> {
  const { data, recipe, onProgress, signal } = options
  const units = findUnits(graph, info, excluder(recipe.exclude))
  const values = findQuantizedValues(graph, units.integer)
  const observe = observationsOf(graph, info, values.observed, recipe.biasCorrection ? units.integer : [])
  const reservoir = recipe.biasCorrection ? new Reservoir(HELD_SAMPLES, HELD_BYTES) : undefined
  const { observer, momentum = DEFAULT_MOMENTUM } = recipe.activations
  return collect(
    graph,
    info,
    data,
    {
      observe,
      reservoir,
      signal,
      momentum: observer === 'moving-average' ? momentum : undefined,
      onSample: (done, total) => onProgress?.({ phase: 'calibrate', done, total }),
    },
    (collected, engine) => quantizeCollected(graph, info, options, units, collected, engine, reservoir),
  )
}

async function quantizeCollected(
  graph: Graph,
  info: Inference,
  { recipe, onProgress, signal }: StaticOptions,
  planned: Units,
  collected: Collected,
  engine: Engine,
  reservoir: Reservoir | undefined,
): Promise<StaticResult> {
  const pace = new Pace(signal)
  const units = withoutInfinite(planned, collected)
  const values = findQuantizedValues(graph, units.integer)
  const params = await rangeParams(values, collected, recipe.activations, pace)
  const products = await quantizeProducts(
    graph,
    info,
    units.integer,
    (name) => {
      const found = params.get(values.values.get(name)?.root ?? '')
      if (!found) throw new RangeError(`value ${name} has no parameters`)
      return found
    },
    {
      recipe: recipe.weights,
      addBias: recipe.biasCorrection,
      pace,
      onWeights: (done, total) => onProgress?.({ phase: 'weights', done, total }),
    },
  )
  const inserted = insertQuantizers({
    graph,
    units: units.integer,
    values,
    products,
    params,
    activations: recipe.activations,
  })
  const report = reportOf({ graph, units, values, params, products, inserted, collected })
  if (!reservoir) return { graph: inserted.graph, report }
  const quantizedInfo = inferGraph(inserted.graph)
  const targets = correctionTargets(graph, info, inserted, products, collected)
  const samples = reservoir.samples()
  const corrections = await correctBiases(engine, inserted.graph, quantizedInfo.types, samples, targets, {
    signal,
    onTarget: (done, total) => onProgress?.({ phase: 'bias', done, total }),
  })
  return {
    graph: withCorrections(inserted.graph, corrections),
    report: { ...report, biasCorrection: { samples: samples.length, layers: corrections.size } },
  }
}

/** The values whose ranges are asked for, and the results of products, whose channel means are. */
function observationsOf(
  graph: Graph,
  info: Inference,
  ranges: readonly string[],
  units: readonly Unit[],
): Observation[] {
  const axes = new Map<string, number>(ranges.map((value) => [value, -1]))
  for (const unit of units) {
    if (unit.rule.kind !== 'weighted' || unit.weights === undefined) continue
    const added = addedBias(graph, info, unit)
    if (unit.rule.bias === undefined && !added) continue
    const value = unit.results[0] ?? ''
    const axis = outputChannelAxis(info, unit.node, unit.rule)
    if (typeof info.types.get(value)?.shape?.[axis] === 'number') axes.set(value, axis)
  }
  return [...axes].map(([value, channelAxis]) => ({ value, channelAxis }))
}

/** Values that were infinite or NaN in some sample (masks) have no 8-bit form: the nodes around them stay in float. */
function withoutInfinite(units: Units, { statistics }: Collected): Units {
  const infinite = new Set([...statistics].filter(([, s]) => s.nonfinite > 0).map(([name]) => name))
  if (infinite.size === 0) return units
  const touches = ({ node, inputs, results }: Unit) =>
    inputs.some((i) => infinite.has(node.inputs[i] ?? '')) || results.some((name) => infinite.has(name))
  const float = new Map(units.float)
  const integer: Unit[] = []
  for (const unit of units.integer) {
    // What moves such a value has the same.
    if (touches(unit) && unit.rule.kind === 'shared') for (const name of unit.results) infinite.add(name)
    if (!touches(unit)) integer.push(unit)
    else for (const n of [unit.node, ...unit.absorbed]) float.set(n.name, 'its values are not always finite')
  }
  return { integer, float }
}
