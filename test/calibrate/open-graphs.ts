/** Graphs that no plan serves for all sizes: what is fed decides the ranks inside. */
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { symbol } from '../../lib/graph/expr.js'
import type { ConstantTensor, Graph } from '../../lib/graph/graph.js'
import { Tensor } from '../../lib/session/tensor.js'
import { constant, f32, graph, int, node, owned } from '../ops/graphs.js'

const random = mulberry32(5)

function noise(...dims: number[]): ConstantTensor {
  const elements = dims.reduce((n, d) => n * d, 1)
  return constant(
    Array.from({ length: elements }, () => 2 * random() - 1),
    dims,
    'float32',
  )
}

const WEIGHTS = {
  w8x16: noise(8, 16),
  w16x4: noise(16, 4),
  w4x2x3x3: noise(4, 2, 3, 3),
  w3x4x1x1: noise(3, 4, 1, 1),
}

/** Rows of 8 through two products; one row is squeezed before the second, as exporters of torch's squeeze write it. */
export function squeezing(): Graph {
  return graph({
    inputs: { x: f32(symbol('n'), 8) },
    constants: { w1: WEIGHTS.w8x16, w2: WEIGHTS.w16x4, one: constant([1], [1]), axis: constant([0], [1]) },
    nodes: [
      node('MatMul', ['x', 'w1'], ['a']),
      node('Relu', ['a'], ['r']),
      node('Shape', ['r'], ['rows'], { start: int(0), end: int(1) }),
      node('Equal', ['rows', 'one'], ['single']),
      node(
        'If',
        ['single'],
        ['u'],
        {
          then_branch: owned(
            graph({
              captures: ['r', 'axis'],
              nodes: [node('Squeeze', ['r', 'axis'], ['squeezed'])],
              outputs: ['squeezed'],
            }),
          ),
          else_branch: owned(
            graph({
              captures: ['r', 'axis'],
              nodes: [node('Identity', ['r'], ['kept'])],
              outputs: ['kept'],
            }),
          ),
        },
        { captures: ['r', 'axis'] },
      ),
      node('MatMul', ['u', 'w2'], ['y']),
    ],
    outputs: ['y'],
  })
}

/** A Resize between two convolutions, whose scales are an input. */
export function resizing(): Graph {
  return graph({
    inputs: { x: f32(1, 2, symbol('h'), symbol('w')), scales: f32(4) },
    constants: { w1: WEIGHTS.w4x2x3x3, w2: WEIGHTS.w3x4x1x1 },
    nodes: [
      node('Conv', ['x', 'w1'], ['a']),
      node('Resize', ['a', '', 'scales'], ['b']),
      node('Conv', ['b', 'w2'], ['y']),
    ],
    outputs: ['y'],
  })
}

export function samples(rows: readonly number[], reach = 1): { readonly x: Tensor }[] {
  return rows.map((n) => ({
    x: new Tensor(
      'float32',
      Float32Array.from({ length: 8 * n }, () => reach * (2 * random() - 1)),
      [n, 8],
    ),
  }))
}
