/** What a graph pass is, and what it may ask for. */
import type { ConstantTensor, Graph } from '../graph/graph.js'

/**
 * What a pass is for. `required`: a graph needs it to run at all. `training`: it holds for a graph whose weights will
 * change, because no value of a weight decides what it does, and it merges no weight into another. `levels`: it makes
 * integers of floats, which a graph that is quantized after it must not have.
 */
type PassTag = 'required' | 'training' | 'levels'

export interface PassOptions {
  /** Numbers for symbolic sizes, by name. */
  readonly overrides?: Readonly<Record<string, number>>
  readonly signal?: AbortSignal
  /** true: a graph whose sizes only feeds decide is prepared as far as that goes. Default false: a ValueNeededError. */
  readonly partial?: boolean
  /** The tag of the passes that run. Default 'all': every pass, whatever its tags; 'float': all but those of `levels`. */
  readonly selection?: 'all' | 'float' | PassTag
}

/** Computes the outputs of a graph without inputs, on the engine. */
export type Evaluate = (graph: Graph) => Promise<ReadonlyMap<string, ConstantTensor>>

export interface PassContext extends PassOptions {
  readonly evaluate: Evaluate
}

/** Graph in, graph out; async where it computes. The same object where nothing changed. */
export type Pass = (graph: Graph, context: PassContext) => Graph | Promise<Graph>

/** A pass in its place among the others. */
export interface PassEntry {
  readonly name: string
  readonly pass: Pass
  /** The reason of its place. */
  readonly why?: string
  readonly tags: readonly PassTag[]
}
