/** What InferenceSession needs of a compiled model, however it is compiled. */
import type { Graph } from '../../graph/graph.js'
import type { NativeMemory, StepProfile } from '../../native/binding.js'
import type { PassOptions } from '../../passes/pass.js'
import type { Plan } from '../../plan/plan.js'
import type { Observation } from '../../statistics/observation.js'
import type { StatisticRecord } from '../../statistics/record.js'
import type { CompileOptions, EngineOutput, EngineTensor, EngineValue, RunOptions } from './engine.js'

/** An input or output; no shape where the model does not even say its rank. */
export type RunnerValue = Omit<EngineValue, 'shape'> & Partial<Pick<EngineValue, 'shape'>>

export interface Runner {
  readonly inputs: readonly RunnerValue[]
  readonly outputs: readonly RunnerValue[]
  /** false: it is compiled for what it is fed, and was not fed yet. */
  readonly hasPlan: boolean
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
  /** What an observation has gathered over all runs; undefined: no plan so far has such a state. */
  readStatistic<O extends Observation>(observation: O): StatisticRecord<O['kind']> | undefined
  /** Another runner over the same weights, whose states are copies of these. */
  fork(): Runner
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
