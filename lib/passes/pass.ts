/** What a graph pass is, and what it may ask for. */
import type { ConstantTensor, Graph } from '../graph/graph.js'

export interface PassOptions {
  /** Numbers for symbolic sizes, by name. */
  readonly overrides?: Readonly<Record<string, number>>
  readonly signal?: AbortSignal
  /** false: only the passes that a graph needs to run at all. */
  readonly optimize?: boolean
}

/** Computes the outputs of a graph without inputs, on the engine. */
export type Evaluate = (graph: Graph) => Promise<ReadonlyMap<string, ConstantTensor>>

export interface PassContext extends PassOptions {
  readonly evaluate: Evaluate
}

/** Graph in, graph out; async where it computes. The same object where nothing changed. */
export type Pass = (graph: Graph, context: PassContext) => Graph | Promise<Graph>
