import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { inferGraph } from '../../../lib/ops/core/infer.js'
import { findFusions } from '../../../lib/quantize/assign/fusions.js'
import { findQuantizedValues } from '../../../lib/quantize/assign/quantized-values.js'
import { parseRecipe } from '../../../lib/quantize/recipe/recipe.js'
import { settingsOf } from '../../../lib/quantize/recipe/settings.js'
import type { RecipeOptions } from '../../../lib/quantize/recipe/types.js'
import { graph, node, noise, numbers, residualNet } from '../graphs.js'

function fusionsOf(float: Graph, exclude: RecipeOptions['exclude'] = []) {
  const settings = settingsOf(parseRecipe({ exclude }))
  const { integer, float: rest } = findFusions(float, inferGraph(float), (n) =>
    settings(n).exclude ? 'excluded by the recipe' : undefined,
  )
  return {
    integer: integer.map((f) => [f.node, ...f.fused].map((n) => n.opType).join('+')),
    float: Object.fromEntries(rest),
  }
}

describe('findFusions', () => {
  it('takes everything that has an integer form; Relu belongs to what it follows', () => {
    expect(fusionsOf(residualNet())).toEqual({
      integer: ['Conv+Relu', 'Conv', 'Add+Relu', 'GlobalAveragePool', 'Flatten', 'Gemm', 'Softmax'],
      float: {},
    })
  })

  it('excludes by name', () => {
    expect(fusionsOf(residualNet(), [/^Gemm/, 'Conv:c2']).float).toEqual({
      'Conv:c2': 'excluded by the recipe',
      'Gemm:g': 'excluded by the recipe',
    })
  })

  it('a bias added after a MatMul belongs to it; other sums do not', () => {
    const float = graph({
      inputs: { x: [2, 3, 4] },
      outputs: ['y'],
      nodes: [
        node('m = MatMul(x, w)'),
        node('a = Add(m, b)'),
        node('r = Relu(a)'),
        node('n = MatMul(r, v)'),
        node('s = Add(n, c)'),
        node('y = MatMul(s, w)'),
      ],
      constants: { w: noise(4, 4), v: noise(4, 4), b: noise(4), c: noise(3, 4) },
    })
    expect(fusionsOf(float).integer).toEqual(['MatMul+Add+Relu', 'MatMul', 'Add', 'MatMul'])
  })

  it('functions of one element in a row are one table, scales and shifts by a number among them', () => {
    const float = graph({
      inputs: { x: [1, 3, 4, 4] },
      outputs: ['y'],
      nodes: [
        node('c = Conv(x, w)'),
        node('h = HardSwish(c)'),
        node('m = Mul(h, two)'),
        node('a = Add(half, m)'),
        node('y = Conv(a, v)'),
      ],
      constants: { w: noise(4, 3, 1, 1), v: noise(2, 4, 1, 1), two: numbers([2], []), half: numbers([0.5]) },
    })
    expect(fusionsOf(float).integer).toEqual(['Conv', 'HardSwish+Mul+Add', 'Conv'])
    const { integer } = findFusions(float, inferGraph(float), () => undefined)
    const { domains, observed } = findQuantizedValues(float, integer)
    expect(observed).toEqual(['x', 'c', 'a'])
    expect([...domains]).toEqual([['c', [-3, Number.POSITIVE_INFINITY]]])
  })

  it('norms stay in float', () => {
    const float = graph({
      inputs: { x: [2, 3, 4] },
      outputs: ['y'],
      nodes: [node('l = LayerNormalization(x, k)'), node('y = MatMul(l, w)')],
      constants: { k: noise(4), w: noise(4, 4) },
    })
    expect(fusionsOf(float)).toEqual({
      integer: ['MatMul'],
      float: { 'LayerNormalization:l': 'has no integer form' },
    })
  })
})
