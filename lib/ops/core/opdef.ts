/**
 * What an operator declares about itself. Shared code never switches on the operator's type: it asks the OpDef.
 * One file per family exports a list of these; `registry.ts` collects them.
 */

import type { DType } from '../../graph/dtype.js'
import type { Dim, Expr } from '../../graph/expr.js'
import type { ConstantTensor, Graph, Node, TensorType } from '../../graph/graph.js'
import type { NestedPlan } from '../../plan/attributes.js'
import type { BuiltStep } from '../../plan/build.js'
import type { StepKind } from '../../plan/plan.js'

/** What inference says of one output: its type, and its elements where it is a small integer tensor whose elements are sizes. */
export interface Inferred extends TensorType {
  /** Row-major elements of an integer tensor (or bool, as 0/1) as expressions; only up to 1,024 of them. */
  readonly values?: readonly Dim[]
}

export interface InferContext {
  readonly node: Node
  readonly inputs: number
  /** undefined: absent. */
  input(i: number): TensorType | undefined
  /** Type of an input that must be there; with a shape. */
  required(i: number): TensorType & { readonly shape: readonly Dim[] }
  constant(i: number): ConstantTensor | undefined
  /** Elements of an integer input as expressions, where they are known. */
  values(i: number): readonly Dim[] | undefined
  /**
   * Elements of an integer input; those unknown become symbols that the engine reads from the tensor while running.
   * Fails where not even the number of elements is known.
   */
  valuesOrRead(i: number): readonly Dim[]
  /** A new symbol for size `axis` of output i, read from the tensor that the step provides while running (If, Loop). */
  provided(i: number, axis: number): Expr
  /** True when every symbol of d is one of this graph, not of a graph that the node owns. */
  knows(d: Dim): boolean
  /** Output types of an owned graph, given the types of its inputs; captures are typed from this node's. */
  subgraph(attribute: string, inputs: readonly TensorType[]): readonly Inferred[]
  /** Error that names the node, op, and what was expected. */
  fail(expected: string): never
}

/** Physical axis p of a tensor holds logical axis layout[p]. The identity is the layout of the model. */
export type Layout = readonly number[]

/** What lowering one node needs. Tensors of the plan are numbers; -1 is an absent optional. */
export interface LowerContext {
  readonly node: Node
  has(i: number): boolean
  hasOutput(i: number): boolean
  inputType(i: number): { readonly dtype: DType; readonly shape: readonly Dim[] }
  outputType(i: number): { readonly dtype: DType; readonly shape: readonly Dim[] }
  constant(i: number): ConstantTensor | undefined
  values(i: number): readonly Dim[] | undefined
  valuesOrRead(i: number): readonly Dim[]
  /** Input i as a plan tensor in this layout (default: the model's); transposes or dequantizes where needed. -1 if absent. */
  input(i: number, layout?: Layout): number
  /** Output i as a new plan tensor in this layout. -1 if nobody wants it. */
  output(i: number, layout?: Layout): number
  /**
   * The layout an elementwise node should work in: that of its largest computed input, or the model's.
   * `broadcastInput` gives an input in it, its rank padded with ones to the output's.
   */
  sharedLayout(): Layout
  broadcastInput(i: number, layout: Layout): number
  scratch(dtype: DType, dims: readonly Dim[], hint?: string): number
  constantTensor(dtype: DType, dims: readonly number[], data: Uint8Array): number
  /** Constant input i with other sizes and another type: elements that a file packs in bytes. Bytes in a file stay there. */
  constantAs(i: number, dtype: DType, dims: readonly number[]): number
  /** The same bytes with other sizes (and another dtype of the same width). */
  alias(tensor: number, dims: readonly Dim[], dtype?: DType): number
  /** Output i is these bytes (Reshape, Identity), in this layout (default: the model's). */
  outputAlias(i: number, tensor: number, layout?: Layout): void
  /** Adds a step that writes `outputs`. `kind`: where it counts as something else than the table of steps says. */
  step(step: BuiltStep, outputs: readonly number[], kind?: StepKind): void
  /** Output i as a tensor whose storage comes from its step while running (If, Loop). -1 if nobody wants it. */
  providedOutput(i: number): number
  /** Capture k of the node as a plan tensor, in the model's layout. */
  capture(k: number): number
  /** The symbol that `provided` made for a size of an output is element `index` of this integer tensor (NonZero). */
  readSymbol(symbol: Dim, tensor: number, index: number): void
  /** An owned graph as a nested plan, and the values of its outer symbols. The graphs of one node share the order of these. */
  nested(attribute: string): { readonly plan: NestedPlan; readonly symbols: readonly Dim[] }
  fail(expected: string): never
}

/** How the static quantizer treats an operator. */
export type QuantizeRule =
  /** Conv, Gemm, MatMul...: integer with weights. `channelAxis` of the weight is the output channel. */
  | {
      readonly kind: 'weighted'
      readonly weight: number
      readonly bias?: number
      channelAxis(node: Node, weightRank: number): number
    }
  /** LSTM, GRU, RNN: the product of the input is integer, the state and what it adds up are float. `weights`: positions of those that are stored as integers. */
  | { readonly kind: 'recurrent'; readonly weights: readonly number[] }
  /** Takes quantized inputs, has a range of its own. `range`: fixed by the function (Softmax, Sigmoid), whatever the data. */
  | {
      readonly kind: 'activation'
      readonly inputs?: readonly number[]
      readonly range?: readonly [number, number]
      /** A function of each element of input 0 alone: several in a row are one table. */
      readonly unary?: boolean
      /** Inputs beyond these ends give what the ends give, to half a step of 8 bits: they need not be represented. */
      readonly domain?: readonly [number, number]
    }
  /** Moves or selects elements: output has the scale and zero point of its input `inputs[0]` (default 0). */
  | { readonly kind: 'shared'; readonly inputs?: readonly number[] }

export interface OpDef {
  readonly opType: string
  readonly domain: '' | 'com.microsoft' | 'octavo'
  /** Inputs and outputs allowed, [least, most]. */
  readonly inputs: readonly [number, number]
  readonly outputs: readonly [number, number]
  /** One entry per output of the node. */
  infer(context: InferContext): readonly Inferred[]
  /** Float (or generic) steps. Absent: the operator is only legal inside patterns that lowering consumes. */
  lower?(context: LowerContext): void
  readonly quantize?: QuantizeRule
  /** Equivalent nodes of older operators, for the writer, where the canonical form is newer than the file may be (Swish). */
  decompose?(node: Node, graph: Graph): readonly Node[]
}
