import { expect, it } from 'vitest'
import { withShifts } from '../../../lib/quantize/layerwise/shift.js'
import { node, numbers } from '../graphs.js'

const text = (nodes: readonly ReturnType<typeof node>[]) =>
  nodes.map((n) => `${n.outputs} = ${n.opType}(${[...n.inputs, ...(n.captures ?? [])]})`)

it('all that reads the value reads the sum, in the main graph and in owned ones', () => {
  const nodes = [node('a = Relu(x)'), { ...node('b = If(c)'), captures: ['x', 'a'] }, node('y = Add(a, b)')]
  const shifted = withShifts(nodes, ['x', 'c'], [{ value: 'x', tensor: numbers([1]) }])
  expect(text(shifted.nodes)).toEqual([
    'x:shifted = Add(x,x:shift)',
    'a = Relu(x:shifted)',
    'b = If(c,x:shifted,a)',
    'y = Add(a,b)',
  ])
  expect([...shifted.constants.keys()]).toEqual(['x:shift'])
})

it('nothing where the value is not read from outside', () => {
  const nodes = [node('a = Relu(x)'), node('y = Neg(a)')]
  const shifted = withShifts(nodes, ['x'], [{ value: 'a', tensor: numbers([1]) }])
  expect(shifted.nodes).toBe(nodes)
  expect(shifted.constants.size).toBe(0)
})
