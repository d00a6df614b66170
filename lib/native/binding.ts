/** The contract with the addon (`native/addon/`). Everything here is internal: public types are in `session/`. */
import type { DType } from '../graph/dtype.js'
import type { FileRange } from '../graph/graph.js'

/** Tensors that go into the addon: of each its bytes, dense and little endian, which are copied before the call returns. */
type NativeFeeds = readonly Uint8Array[]

/** For each tensor in turn: number of the element type, rank, sizes. */
type NativeTypes = Float64Array

/** Bytes of a constant, or where they are in an open file, which is read when the constant is packed. */
export type NativeBytes = Uint8Array | FileRange

/** For each tensor that comes out, in turn: bytes, number of the element type, rank, sizes. Few objects: a call into V8 takes some 50 ns. */
export type NativeOutputs = (ArrayBuffer | number)[]

interface IsaInfo {
  readonly name: string
  readonly compiled: boolean
  readonly supported: boolean
  /** Why it is not compiled or not supported. */
  readonly reason: string
}

/** Time of one step of a run. Steps that are computed when the model is loaded are left out. */
export interface StepProfile {
  /** Position among the steps of the plan, from 0. */
  readonly step: number
  /** Name of its kernel; `''` for a step with one implementation. */
  readonly kernel: string
  /** Time that it took, in microseconds. */
  readonly microseconds: number
}

/** A store of named tensors that outlive runs; models that are loaded over one share them. */
export interface NativeStates {
  /** Sorted. */
  names(): string[]
  bytes(): number
  /** A store with copies of all states, as they are between two runs. */
  copy(): NativeStates
  /** Copies, in the order of the names, as they are between two runs. */
  read(names: readonly string[]): NativeOutputs
  /** All at once with respect to runs; none where one of the tensors does not fit. */
  write(names: readonly string[], tensors: NativeFeeds, types: NativeTypes): void
}

export interface NativeMemory {
  /** Bytes of prepacked constants. */
  readonly constants: number
  /** Bytes of the arenas of all executions. */
  readonly arena: number
  /** Executions made so far. */
  readonly executions: number
}

/** Cancels a load or a run between steps. */
export interface NativeToken {
  cancel(): void
}

export interface NativeModel {
  /**
   * Off the main thread, as many at once as the model has executions; others wait, first come, first served. Results are in the order of `outputs` (indices into the plan's outputs;
   * undefined: all of them).
   */
  run(
    feeds: NativeFeeds,
    types: NativeTypes,
    outputs?: readonly number[],
    token?: NativeToken,
  ): Promise<NativeOutputs>
  runSync(feeds: NativeFeeds, types: NativeTypes, outputs?: readonly number[]): NativeOutputs
  /** Bytes of a state tensor by its name. */
  readState(name: string): ArrayBuffer
  /** The store that the model's states are in. */
  states(): NativeStates
  /** Another model over the same weights, whose states are copies of these. Runs under way finish first. */
  fork(): NativeModel
  /** Name of the kernel each step was given, in step order ('' where it has none). */
  kernels(): string[]
  /** Microseconds per step of the last run that was profiled. */
  profile(): StepProfile[]
  setProfiling(on: boolean): void
  memory(): NativeMemory
  /** Idempotent; runs in flight finish. */
  release(): void
}

interface LoadOptions {
  /** Of one run that has the process to itself, at most; runs in flight share the cores. Default: the cores. */
  readonly threads?: number
  /** Runs that may be under way at once, each with an arena of its own. Default: one more than the cores. A program that writes states has one. */
  readonly executions?: number
  /** Where the states of the plan are, or are added with their first values. Default: a store of its own. */
  readonly states?: NativeStates
  readonly maxTensorBytes?: number
  readonly maxLoopIterations?: number
}

export interface Binding {
  readonly version: string
  readonly isas: readonly IsaInfo[]
  /** The ISA that was chosen (or forced by OCTAVO_ISA). */
  readonly isa: string
  /** Signedness of quantized activations that the chosen ISA's kernels take without conversion. */
  readonly activations: Extract<DType, 'uint8' | 'int8'>
  readonly cores: number
  readonly compiler: string
  token(): NativeToken
  /** An empty store of states. */
  states(): NativeStates
  /**
   * Parses, checks and prepacks a plan off the main thread. `words`: the encoded plan; `buffers`: the constants it
   * refers to, kept alive until the promise settles; so long their files must stay open.
   */
  load(
    words: Int32Array,
    buffers: readonly NativeBytes[],
    options: LoadOptions,
    token?: NativeToken,
  ): Promise<NativeModel>
}
