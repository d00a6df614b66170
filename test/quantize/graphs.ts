/** Small float graphs in code. */

import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import type { Attribute, ConstantTensor, Graph, Node, TensorType } from '../../lib/graph/graph.js'
import { tensorFromNumbers } from '../../lib/graph/tensor.js'

const random = mulberry32(11)

/** A constant of numbers in [-1, 1). */
export function noise(...dims: number[]): ConstantTensor {
  const n = dims.reduce((p, d) => p * d, 1)
  return tensorFromNumbers(
    'float32',
    dims,
    Array.from({ length: n }, () => 2 * random() - 1),
  )
}

export function numbers(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): ConstantTensor {
  return tensorFromNumbers('float32', dims, values)
}

/** `node('y = Conv(x, w, b)', { pads: [1, 1, 1, 1] })`; the name of the node is that of its first output. */
export function node(
  text: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): Node {
  const [, outputs = '', opType = '', inputs = ''] = /^(.*?) = (\w+)\((.*)\)$/.exec(text) ?? []
  const names = (list: string) => (list === '' ? [] : list.split(', '))
  const converted = Object.entries(attributes).map(([name, value]): [string, Attribute] => [
    name,
    typeof value !== 'number'
      ? { kind: 'ints', value }
      : Number.isInteger(value) && name !== 'alpha' && name !== 'beta'
        ? { kind: 'int', value }
        : { kind: 'float', value },
  ])
  return {
    name: `${opType}:${names(outputs)[0]}`,
    opType,
    domain: '',
    inputs: names(inputs),
    outputs: names(outputs),
    attributes: Object.fromEntries(converted),
  }
}

export interface GraphParts {
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly outputs: readonly string[]
  readonly nodes: readonly Node[]
  readonly constants?: Readonly<Record<string, ConstantTensor>>
}

export function graph({ inputs, outputs, nodes, constants = {} }: GraphParts): Graph {
  const types = Object.entries(inputs).map(([name, shape]): [string, TensorType] => [
    name,
    { dtype: 'float32', shape },
  ])
  return {
    name: 'test',
    inputs: Object.keys(inputs),
    outputs,
    nodes,
    constants: new Map(Object.entries(constants)),
    types: new Map(types),
    captures: [],
  }
}

/** Conv - Relu - Conv - Add (residual) - Relu - GlobalAveragePool - Flatten - Gemm - Softmax */
export function residualNet(): Graph {
  return graph({
    inputs: { x: [1, 3, 8, 8] },
    outputs: ['y'],
    nodes: [
      node('c1 = Conv(x, w1, b1)', { pads: [1, 1, 1, 1] }),
      node('r1 = Relu(c1)'),
      node('c2 = Conv(r1, w2)', { pads: [1, 1, 1, 1] }),
      node('s = Add(c2, r1)'),
      node('r2 = Relu(s)'),
      node('p = GlobalAveragePool(r2)'),
      node('f = Flatten(p)'),
      node('g = Gemm(f, w3, b3)'),
      node('y = Softmax(g)', { axis: -1 }),
    ],
    constants: { w1: noise(4, 3, 3, 3), b1: noise(4), w2: noise(4, 4, 3, 3), w3: noise(4, 5), b3: noise(5) },
  })
}
