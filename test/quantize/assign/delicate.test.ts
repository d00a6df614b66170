import { describe, expect, it } from 'vitest'
import type { Node } from '../../../lib/graph/graph.js'
import { graph, node, noise } from '../graphs.js'
import { assigned } from '../record.js'

/** Two products with a sum of their results, and `between` before the last product. */
const stream = (between: readonly Node[], last: string) =>
  graph({
    inputs: { x: [8, 16] },
    outputs: ['y'],
    nodes: [
      node('a = MatMul(x, w1)'),
      node('b = MatMul(x, w2)'),
      node('s = Add(a, b)'),
      ...between,
      node(`y = MatMul(${last}, w3)`),
    ],
    constants: { w1: noise(16, 16), w2: noise(16, 16), w3: noise(16, 4), g: noise(16), h: noise(16) },
  })

describe('what magnifies errors', () => {
  it.each(['LayerNormalization(s, g, h)', 'RMSNormalization(s, g)'])(
    'a residual stream stays float before %s, and the products around it do not',
    async (norm) => {
      const { fusions } = await assigned(stream([node(`n = ${norm}`)], 'n'))
      expect(fusions.integer.map(({ node: { name } }) => name)).toEqual(['MatMul:a', 'MatMul:b', 'MatMul:y'])
      expect(fusions.float.get('Add:s')).toContain('which magnifies errors')
    },
  )

  it('a sum that a product reads is integer', async () => {
    const { fusions } = await assigned(stream([], 's'))
    expect(fusions.integer.map(({ node: { name } }) => name)).toContain('Add:s')
  })
})
