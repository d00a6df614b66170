/** Model -> engine: preparation, then compilation. */
import type { Graph, Model } from '../graph/graph.js'
import { prepareGraph } from '../passes/index.js'
import type { PassOptions } from '../passes/pass.js'
import { type CompileOptions, compileGraph, type Engine } from './run/engine.js'
import { evaluateConstants } from './run/evaluate.js'

/** Folds, recognises and cleans a graph: what calibration and compilation start from. */
export function prepare(graph: Graph, options: PassOptions = {}): Promise<Graph> {
  return prepareGraph(graph, { ...options, evaluate: evaluateConstants })
}

/** Prepares and compiles a model. */
export async function compileModel(model: Model, options: CompileOptions = {}): Promise<Engine> {
  return compileGraph(await prepare(model.graph, options), options)
}
