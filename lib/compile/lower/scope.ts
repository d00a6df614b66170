/** What the lowering of a node asks of that of its graph. */
import type { Dim } from '../../graph/expr.js'
import type { ConstantTensor, Graph, TensorType } from '../../graph/graph.js'
import type { Inference } from '../../ops/core/infer.js'
import type { Draft } from '../../plan/draft.js'
import type { Plan, PlanStep, SymbolSource } from '../../plan/plan.js'
import type { Values } from './values.js'

export type KnownType = TensorType & { readonly shape: readonly Dim[] }

/** The plan of a graph that a node owns, and where its symbols come from. */
export interface OwnedPlan {
  readonly plan: Plan
  readonly symbols: ReadonlyMap<string, SymbolSource>
}

export interface LoweringScope {
  readonly info: Inference
  readonly draft: Draft
  /** Steps so far; nodes add theirs. */
  readonly steps: PlanStep[]
  /** Values as tensors of the draft, in their layouts. */
  readonly values: Values
  typeOf(name: string): KnownType
  constantOf(name: string): ConstantTensor | undefined
  /** Whether the value reaches an output or a symbol. */
  isWanted(name: string): boolean
  /** A symbol whose source the node itself says, instead of a size of its output. */
  readSymbol(name: string, tensor: number, index: number): void
  /** Lowers a graph that a node of this one owns, with the constants that it captures. */
  lowerOwned(graph: Graph, info: Inference, captured: ReadonlyMap<string, ConstantTensor>): OwnedPlan
}
