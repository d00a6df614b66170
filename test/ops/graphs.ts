/** Small graphs, built in code. */
import type { DType } from '../../lib/graph/dtype.js'
import type { Dim } from '../../lib/graph/expr.js'
import type { Attribute, ConstantTensor, Graph, Node, TensorType } from '../../lib/graph/graph.js'
import { tensorFromNumbers } from '../../lib/graph/tensor.js'

export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
  more: Partial<Node> = {},
): Node {
  return { name: `${opType}_${outputs[0]}`, opType, domain: '', inputs, outputs, attributes, ...more }
}

export const int = (value: number): Attribute => ({ kind: 'int', value })
export const ints = (...value: number[]): Attribute => ({ kind: 'ints', value })
export const text = (value: string): Attribute => ({ kind: 'string', value })
export const owned = (value: Graph): Attribute => ({ kind: 'graph', value })

export const f32 = (...shape: Dim[]): TensorType => ({ dtype: 'float32', shape })
export const i64 = (...shape: Dim[]): TensorType => ({ dtype: 'int64', shape })

export function constant(
  values: readonly number[],
  dims: readonly number[] = [values.length],
  dtype: DType = 'int64',
): ConstantTensor {
  return tensorFromNumbers(dtype, dims, values)
}

export interface GraphParts {
  readonly inputs?: Readonly<Record<string, TensorType>>
  readonly constants?: Readonly<Record<string, ConstantTensor>>
  readonly nodes: readonly Node[]
  readonly outputs: readonly string[]
  readonly declared?: Readonly<Record<string, TensorType>>
  readonly captures?: readonly string[]
}

export function graph({
  inputs = {},
  constants = {},
  nodes,
  outputs,
  declared = {},
  captures = [],
}: GraphParts): Graph {
  return {
    name: 'test',
    inputs: Object.keys(inputs),
    outputs,
    nodes,
    constants: new Map(Object.entries(constants)),
    types: new Map([...Object.entries(inputs), ...Object.entries(declared)]),
    captures,
  }
}
