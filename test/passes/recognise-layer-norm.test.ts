import { describe, expect, it } from 'vitest'
import type { ConstantTensor, Graph, Node } from '../../lib/graph/graph.js'
import { recogniseLayerNorm } from '../../lib/passes/recognise-layer-norm.js'

const vector = (...values: number[]): ConstantTensor => ({
  dtype: 'float32',
  dims: values.length === 1 ? [] : [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
})

const constants = new Map<string, ConstantTensor>([
  ['last', { dtype: 'int64', dims: [1], data: new Uint8Array(BigInt64Array.of(-1n).buffer) }],
  ['first', { dtype: 'int64', dims: [1], data: new Uint8Array(BigInt64Array.of(0n).buffer) }],
  ['two', vector(2)],
  ['epsilon', vector(Math.fround(1e-5))],
  ['gamma', vector(1, 2, 3)],
  ['beta', vector(4, 5, 6)],
])

function graphOf(...lines: readonly (readonly [output: string, op: string, ...inputs: string[]])[]): Graph {
  const nodes = lines.map(
    ([output, opType, ...inputs]): Node => ({
      ...{ name: `${opType}_${output}`, opType, domain: '', inputs, outputs: [output], attributes: {} },
    }),
  )
  const types = new Map([['x', { dtype: 'float32' as const, shape: [2, 3] }]])
  return { name: 'g', inputs: ['x'], outputs: ['y'], nodes, constants, types, captures: [] }
}

const layerNorm = (axes: string) =>
  graphOf(
    ['m', 'ReduceMean', 'x', axes],
    ['d', 'Sub', 'x', 'm'],
    ['p', 'Pow', 'd', 'two'],
    ['v', 'ReduceMean', 'p', axes],
    ['e', 'Add', 'v', 'epsilon'],
    ['s', 'Sqrt', 'e'],
    ['n', 'Div', 'd', 's'],
    ['g', 'Mul', 'n', 'gamma'],
    ['y', 'Add', 'g', 'beta'],
  )

const ops = (graph: Graph) => graph.nodes.map((n) => `${n.opType}(${n.inputs.join(',')})`)

describe('recogniseLayerNorm', () => {
  it('finds LayerNormalization with its bias', () => {
    const graph = recogniseLayerNorm(layerNorm('last'))
    expect(ops(graph)).toEqual(['LayerNormalization(x,gamma,beta)'])
    expect(graph.nodes[0]?.attributes.epsilon).toEqual({ kind: 'float', value: Math.fround(1e-5) })
  })

  it('leaves other axes alone', () => {
    const graph = layerNorm('first')
    expect(recogniseLayerNorm(graph)).toBe(graph)
  })

  it('finds RMSNormalization', () => {
    const graph = graphOf(
      ['p', 'Mul', 'x', 'x'],
      ['v', 'ReduceMean', 'p', 'last'],
      ['e', 'Add', 'epsilon', 'v'],
      ['s', 'Sqrt', 'e'],
      ['r', 'Reciprocal', 's'],
      ['n', 'Mul', 'x', 'r'],
      ['y', 'Mul', 'gamma', 'n'],
    )
    expect(ops(recogniseLayerNorm(graph))).toEqual(['RMSNormalization(x,gamma)'])
  })
})
