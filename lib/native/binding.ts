/** The contract with the addon (`native/addon/`). Everything here is internal: public types are in `session/`. */
import type { DType } from '../graph/dtype.js'
import type { FileRange } from '../graph/graph.js'

export interface NativeTensor {
  readonly dtype: number
  readonly dims: readonly number[]
  /** Dense bytes, little endian. The addon copies them before the call returns. */
  readonly data: Uint8Array
}

/** Bytes of a constant, or where they are in an open file, which is read when the constant is packed. */
export type NativeBytes = Uint8Array | FileRange

export interface NativeOutput {
  readonly dtype: number
  readonly dims: number[]
  readonly data: ArrayBuffer
}

export interface IsaInfo {
  readonly name: string
  readonly compiled: boolean
  readonly supported: boolean
  /** Why it is not compiled or not supported. */
  readonly reason: string
}

export interface StepProfile {
  readonly step: number
  readonly kernel: string
  readonly microseconds: number
}

/** Cancels a load or a run between steps. */
export interface NativeToken {
  cancel(): void
}

export interface NativeModel {
  /** Off the main thread; runs of one model are queued. Results are in the order of `outputs` (indices into the plan's outputs). */
  run(
    inputs: readonly NativeTensor[],
    outputs: readonly number[],
    token?: NativeToken,
  ): Promise<NativeOutput[]>
  runSync(inputs: readonly NativeTensor[], outputs: readonly number[]): NativeOutput[]
  /** Bytes of a state tensor by its name. */
  readState(name: string): ArrayBuffer
  /** Name of the kernel each step was given, in step order ('' where it has none). */
  kernels(): string[]
  /** Microseconds per step of the last run that was profiled. */
  profile(): StepProfile[]
  setProfiling(on: boolean): void
  /** Bytes: prepacked constants, arena of the last binding. */
  memory(): { constants: number; arena: number }
  /** Idempotent; runs in flight finish. */
  release(): void
}

export interface LoadOptions {
  readonly threads?: number
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
