/** What InferenceSession needs of a compiled model, and the choice between the two that there are. */
import type { Graph } from '../../graph/graph.js'
import type { NativeMemory, StepProfile } from '../../native/binding.js'
import { inMemory } from '../../onnx/open-file.js'
import { ValueNeededError } from '../../ops/core/helpers.js'
import type { PassOptions } from '../../passes/pass.js'
import type { Plan } from '../../plan/plan.js'
import { prepare } from '../model.js'
import {
  type CompileOptions,
  compileGraph,
  type EngineOutput,
  type EngineTensor,
  type EngineValue,
  type RunOptions,
} from './engine.js'
import { isSpecialisable, SpecialisingEngine } from './specialise.js'

/** An input or output; no shape where the model does not even say its rank. */
export type RunnerValue = Omit<EngineValue, 'shape'> & Partial<Pick<EngineValue, 'shape'>>

export interface Runner {
  readonly inputs: readonly RunnerValue[]
  readonly outputs: readonly RunnerValue[]
  /** The plan that runs; of a specialising engine, the one that ran last. */
  readonly plan: Plan
  run(
    feeds: Readonly<Record<string, EngineTensor>>,
    outputs?: readonly string[],
    options?: RunOptions,
  ): Promise<Record<string, EngineOutput>>
  runSync(
    feeds: Readonly<Record<string, EngineTensor>>,
    outputs?: readonly string[],
  ): Record<string, EngineOutput>
  kernels(): string[]
  setProfiling(on: boolean): void
  profile(): StepProfile[]
  memory(): NativeMemory
  release(): void
}

export interface RunnerOptions extends CompileOptions {
  /** 'required': graphOptimizationLevel 'disabled'. */
  readonly selection?: PassOptions['selection']
  /** Sees the graph once it is prepared, where it can be without feeds. */
  readonly onPrepared?: (graph: Graph) => Promise<void>
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
