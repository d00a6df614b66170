import { expect, it } from 'vitest'
import { numbersOf } from '../../../lib/graph/tensor.js'
import { probeOf } from '../../../lib/quantize/correct/probe.js'
import { node } from '../graphs.js'

it('without bounds the value itself is observed', () => {
  expect(probeOf({ value: 'c', bounds: [] }, 0.5)).toMatchObject({ nodes: [], observed: ['c'] })
})

it('bounds are applied to the value, and to the value and a step', () => {
  const bounds = [node('r = Relu(c_before)'), node('y = Clip(r, , six)')]
  const { nodes, constants, observed } = probeOf({ value: 'c', bounds }, 0.5)
  expect(nodes.map((n) => `${n.outputs} = ${n.opType}(${n.inputs})`)).toEqual([
    'c:stepped = Add(c,c:step)',
    'c:bounded0 = Relu(c)',
    'c:bounded1 = Clip(c:bounded0,,six)',
    'c:stepped:bounded0 = Relu(c:stepped)',
    'c:stepped:bounded1 = Clip(c:stepped:bounded0,,six)',
  ])
  expect(observed).toEqual(['c:bounded1', 'c:stepped:bounded1'])
  expect([...numbersOf(constants.get('c:step') as never)]).toEqual([0.5])
  expect(new Set(nodes.map((n) => n.name)).size).toBe(nodes.length)
})
