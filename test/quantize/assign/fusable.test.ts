/** What a fusion may take in. */
import { expect, it } from 'vitest'
import { inferGraph } from '../../../lib/ops/core/infer.js'
import { addedBias } from '../../../lib/quantize/assign/added-bias.js'
import { biasOperand, isClamp, scaledOperand } from '../../../lib/quantize/assign/fusable.js'
import { findFusions } from '../../../lib/quantize/assign/fusions.js'
import { graph, node, noise, numbers } from '../graphs.js'

const nodes = [
  node('r = Relu(x)'),
  node('c = Clip(r, zero, six)'),
  node('d = Clip(c, low, six)'),
  node('t = Mul(d, two)'),
  node('u = Sub(two, t)'),
  node('v = Add(u, row)'),
  node('w = Add(v, matrix)'),
  node('y = Add(w, w)'),
]
const float = graph({
  inputs: { x: [2, 3, 4], low: [] },
  outputs: ['y'],
  nodes,
  constants: {
    zero: numbers([0], []),
    six: numbers([6], []),
    two: numbers([2]),
    row: noise(4),
    matrix: noise(3, 4),
  },
})
const info = inferGraph(float)
const named = (output: string) => nodes.find((n) => n.outputs[0] === output) as (typeof nodes)[0]

it('bounds: Relu, and Clip whose bounds are constants, of this value', () => {
  expect(isClamp(float, named('r'), 'x')).toBe(true)
  expect(isClamp(float, named('r'), 'c')).toBe(false)
  expect(isClamp(float, named('c'), 'r')).toBe(true)
  expect(isClamp(float, named('d'), 'c')).toBe(false)
  expect(isClamp(float, { ...named('r'), domain: 'other' }, 'x')).toBe(false)
})

it('a sum, difference or product with one number: where the tensor is', () => {
  expect(['t', 'u', 'v', 'y', 'r'].map((v) => scaledOperand(float, info, named(v)))).toEqual([
    0, 1, -1, -1, -1,
  ])
})

it('a bias: the vector that an Add adds to every row', () => {
  expect(biasOperand(float, info, named('v'), 'u')).toBe(1)
  expect(biasOperand(float, info, named('v'), 'row')).toBe(-1)
  expect(biasOperand(float, info, named('w'), 'v')).toBe(-1)
  expect(biasOperand(float, info, named('y'), 'w')).toBe(-1)
})

it('the bias of a product that has none as an input', () => {
  const product = graph({
    inputs: { x: [2, 3, 4] },
    outputs: ['y'],
    nodes: [node('m = MatMul(x, w)'), node('a = Add(b, m)'), node('n = MatMul(a, w)'), node('y = Relu(n)')],
    constants: { w: noise(4, 4), b: noise(4) },
  })
  const inference = inferGraph(product)
  const { integer } = findFusions(product, inference, () => undefined)
  expect(integer.map((f) => addedBias(product, inference, f))).toEqual([
    { node: product.nodes[1], position: 0 },
    undefined,
  ])
})
