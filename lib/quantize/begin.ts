/** The record of a quantization before its first stage. */
import type { DataSource } from '../calibrate/data.js'
import { Pace } from '../event-loop.js'
import type { Graph } from '../graph/graph.js'
import type { Progress } from './progress.js'
import type { Quantization } from './quantization.js'
import { settingsOf } from './recipe/settings.js'
import type { Recipe } from './recipe/types.js'

export interface QuantizationInput {
  /** The float graph as it was read. */
  readonly graph: Graph
  readonly recipe: Recipe
  readonly data: DataSource | undefined
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export function begin({ graph, recipe, data, onProgress, signal }: QuantizationInput): Quantization {
  return {
    recipe,
    settingsOf: settingsOf(recipe),
    data,
    onProgress: onProgress ?? (() => {}),
    signal,
    pace: new Pace(signal),
    graph,
    nested: graph,
    flat: undefined,
    inference: {
      types: graph.types,
      values: new Map(),
      reads: new Map(),
      symbols: new Map(),
      nested: new Map(),
      open: [],
    },
    storedScales: [],
    learnedRanges: new Map(),
    fusions: { integer: [], float: new Map() },
    values: { values: new Map(), observed: [], fixed: new Map(), domains: new Map() },
    valueFormats: new Map(),
    weightFormats: new Map(),
    tables: new Map(),
    weightOnly: new Map(),
    collected: { samples: 0, statistics: new Map() },
    samples: [],
    ranges: new Map(),
    activations: new Map(),
    layers: new Map(),
    levels: new Map(),
    recurrent: new Map(),
    storedTables: new Map(),
    packed: new Map(),
    quantized: undefined,
    corrections: new Map(),
    uncorrected: undefined,
    pins: new Map(),
    withdrawn: new Map(),
    measured: undefined,
    warnings: [],
  }
}
