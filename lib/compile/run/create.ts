/** The choice between the two runners that there are. */
import type { Graph } from '../../graph/graph.js'
import { inMemory } from '../../onnx/open-file.js'
import { ValueNeededError } from '../../ops/core/helpers.js'
import { prepare } from '../model.js'
import { compileGraph } from './engine.js'
import type { Runner, RunnerOptions } from './runner.js'
import { isSpecialisable, SpecialisingEngine } from './specialise.js'

/**
 * Compiles a graph that is prepared as far as that goes without feeds: what calibration and comparison run. Of the passes, a
 * graph that is observed gets those alone that leave its values where they are.
 */
export async function openRunner(graph: Graph, options: RunnerOptions): Promise<Runner> {
  try {
    return await compileGraph(graph, options)
  } catch (error) {
    if (!(error instanceof ValueNeededError) || !isSpecialisable(graph, error)) throw error
    const selection = options.observe?.length ? 'required' : options.selection
    return new SpecialisingEngine(inMemory(graph), { ...options, selection })
  }
}

/** Prepares and compiles a graph: once, for all sizes, where that is possible, else for each set of sizes that is fed. */
export async function createRunner(graph: Graph, options: RunnerOptions): Promise<Runner> {
  try {
    const prepared = await prepare(graph, options)
    await options.onPrepared?.(prepared)
    return await compileGraph(prepared, options)
  } catch (error) {
    if (!(error instanceof ValueNeededError) || !isSpecialisable(graph, error)) throw error
    return new SpecialisingEngine(inMemory(graph), { ...options, onEncoded: undefined })
  }
}
