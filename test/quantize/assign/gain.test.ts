/** What follows the integer products, what does not, and why. */
import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { inferGraph } from '../../../lib/ops/core/infer.js'
import { findFusions } from '../../../lib/quantize/assign/fusions.js'
import { withGain } from '../../../lib/quantize/assign/gain.js'
import { graph, node, noise, numbers } from '../graphs.js'

function assignedIn(float: Graph) {
  const info = inferGraph(float)
  const { integer, float: rest } = withGain(
    float,
    info,
    findFusions(float, info, () => undefined),
  )
  return {
    integer: integer.map((f) => [f.node, ...f.fused].map((n) => n.name).join('+')),
    float: Object.fromEntries(rest),
  }
}

const OUTSIDE = 'does not lie between two integer products'
const UPSTREAM = 'reads what is computed in float'

describe('withGain', () => {
  it('nothing before the first product, nothing after the last', () => {
    const float = graph({
      inputs: { x: [1, 3, 4, 4] },
      outputs: ['y'],
      nodes: [
        node('s = Sub(x, k)'),
        node('c = Conv(s, w)'),
        node('h = HardSwish(c)'),
        node('d = Conv(h, v)'),
        node('p = GlobalAveragePool(d)'),
        node('y = Flatten(p)'),
      ],
      constants: { k: noise(1, 3, 1, 1), w: noise(4, 3, 3, 3), v: noise(4, 4, 1, 1) },
    })
    expect(assignedIn(float)).toEqual({
      integer: ['Conv:c', 'HardSwish:h', 'Conv:d'],
      float: { 'Sub:s': OUTSIDE, 'GlobalAveragePool:p': OUTSIDE, 'Flatten:y': OUTSIDE },
    })
  })

  it('a step that reads what float makes for it alone stays in float; what a product reads too is quantized anyway', () => {
    const float = graph({
      inputs: { x: [2, 8] },
      outputs: ['y'],
      nodes: [
        node('m = MatMul(x, w)'),
        node('n = LayerNormalization(m, k)'),
        node('a = Mul(n, g)'),
        node('p = MatMul(a, w)'),
        node('b = Add(p, a)'),
        node('y = MatMul(b, w)'),
      ],
      constants: { w: noise(8, 8), k: noise(8), g: noise(8) },
    })
    expect(assignedIn(float)).toEqual({
      integer: ['MatMul:m', 'MatMul:p', 'Add:b', 'MatMul:y'],
      float: { 'LayerNormalization:n': 'has no integer form', 'Mul:a': UPSTREAM },
    })
  })

  it('a division by one number after a product is its requantization', () => {
    const float = graph({
      inputs: { q: [1, 8, 4], k: [1, 4, 8], v: [1, 8, 4] },
      outputs: ['y'],
      nodes: [
        node('s = MatMul(q, k)'),
        node('d = Div(s, two)'),
        node('p = Softmax(d)', { axis: -1 }),
        node('y = MatMul(p, v)'),
      ],
      constants: { two: numbers([2], []) },
    })
    expect(assignedIn(float).integer).toEqual(['MatMul:s', 'Softmax:p', 'MatMul:y'])
  })

  it('the way into a divisor and a root is float, up to the product', () => {
    const float = graph({
      inputs: { x: [2, 8] },
      outputs: ['y'],
      nodes: [
        node('m = MatMul(x, w)'),
        node('q = Mul(m, m)'),
        node('s = ReduceMean(q)'),
        node('e = Add(s, epsilon)'),
        node('r = Sqrt(e)'),
        node('d = Div(m, r)'),
        node('y = MatMul(d, w)'),
      ],
      constants: { w: noise(8, 8), epsilon: numbers([1e-5], []) },
    })
    const { integer, float: rest } = assignedIn(float)
    expect(integer).toEqual(['MatMul:m', 'MatMul:y'])
    expect(rest['Mul:q']).toMatch(/^on the way into (Sqrt|Div) '(Sqrt:r|Div:d)', which magnifies errors$/)
  })

  it('a spectrum before a logarithm is float with the products that make it; after a Relu it is no spectrum', () => {
    const spectrum = (last: string) =>
      graph({
        inputs: { x: [2, 8] },
        outputs: ['y'],
        nodes: [
          node('f = MatMul(x, w)'),
          node(last),
          node('m = MatMul(q, w)'),
          node('c = Max(m, floor)'),
          node('l = Log(c)'),
          node('y = MatMul(l, w)'),
        ],
        constants: { w: noise(8, 8), floor: numbers([1e-6], []) },
      })
    expect(assignedIn(spectrum('q = Mul(f, f)')).integer).toEqual(['MatMul:y'])
    expect(assignedIn(spectrum('q = Relu(f)')).integer).toEqual(['MatMul:f+Relu:q', 'MatMul:y'])
  })

  it('an angle is float with the product that makes it', () => {
    const float = graph({
      inputs: { x: [2, 8] },
      outputs: ['y'],
      nodes: [node('a = MatMul(x, w)'), node('c = Cos(a)'), node('y = MatMul(c, w)')],
      constants: { w: noise(8, 8) },
    })
    expect(assignedIn(float)).toEqual({
      integer: ['MatMul:y'],
      float: {
        'MatMul:a': "on the way into Cos 'Cos:c', which magnifies errors",
        'Cos:c': 'has no integer form',
      },
    })
  })
})
