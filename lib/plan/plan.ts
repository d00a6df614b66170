/** The plan: what the engine runs. Plain data; `encode.ts` writes it as words, `docs/steps.md` says what each step does. */
import type { DType } from '../graph/dtype.js'
import type { Dim } from '../graph/expr.js'
import type { FileRange } from '../graph/graph.js'

/** Where the value of a symbol comes from. */
export type SymbolSource =
  /** the size of an input, matched when the inputs are known */
  | { readonly kind: 'input' }
  /** element `index` of an integer tensor, read when the tensor has been computed */
  | { readonly kind: 'data'; readonly tensor: number; readonly index: number }
  /** a size of a tensor that its step provides while running (If, Loop) */
  | { readonly kind: 'dim'; readonly tensor: number; readonly axis: number }
  /** of a nested plan: entry `index` of the step's attribute `symbols` */
  | { readonly kind: 'outer'; readonly index: number }

export interface PlanSymbol {
  readonly name: string
  readonly source: SymbolSource
}

export type TensorKind =
  | 'constant'
  | 'scratch'
  | 'input'
  | 'output'
  | 'state' /* keeps its bytes from run to run; `data`, `file`: its first value, zeros without */
  | 'alias' /* the bytes of tensor `of`, with other sizes */
  | 'provided' /* storage comes from its step while running (If, Loop) */

export interface PlanTensor {
  readonly name: string
  readonly dtype: DType
  readonly dims: readonly Dim[]
  readonly kind: TensorKind
  readonly of?: number
  readonly data?: Uint8Array
  /** Where the bytes are, if they are not in memory: `data` reads them. */
  readonly file?: FileRange
}

export type PlanAttribute =
  | { readonly kind: 'ints'; readonly value: readonly Dim[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'texts'; readonly value: readonly string[] }
  | { readonly kind: 'plan'; readonly value: Plan }

/**
 * What a step does. `integer`: computes in integers. `float`: computes in floating point. `data`: moves or makes bytes.
 * `shape`: arithmetic on sizes. `convert`: QuantizeLinear or DequantizeLinear.
 */
export type StepKind = 'integer' | 'float' | 'data' | 'shape' | 'convert'

export interface PlanStep {
  readonly op: string
  /** Tensor indices; -1 is an absent optional. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly attributes: Readonly<Record<string, PlanAttribute>>
  /** Nodes of the model that this step computes. */
  readonly nodes: readonly string[]
  readonly kind: StepKind
  /** Why the step is not integer, where one could expect it to be. */
  readonly reason?: string
}

export interface Plan {
  readonly symbols: readonly PlanSymbol[]
  readonly tensors: readonly PlanTensor[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly steps: readonly PlanStep[]
}
