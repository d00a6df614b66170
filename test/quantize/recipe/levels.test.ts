import { expect, it } from 'vitest'
import { activationFormat, weightFormat } from '../../../lib/quantize/recipe/levels.js'

it.each([
  ['int8', 'full', -128, 127],
  ['uint8', 'full', 0, 255],
  ['int8', 'narrow', -127, 127],
  ['uint8', 'narrow', 1, 255],
  ['int8', '7-bit', -64, 63],
  ['uint8', '7-bit', 0, 127],
  ['int8', '0..127', 0, 127],
  ['uint8', '0..127', 0, 127],
] as const)('activations: %s %s are %d to %d', (type, levels, qmin, qmax) => {
  expect(activationFormat({ type, levels })).toMatchObject({ storage: type, qmin, qmax })
})

it.each([
  ['int8', 'full', -128, 127],
  ['int8', 'narrow', -127, 127],
  ['uint8', 'narrow', 1, 255],
  ['int8', '7-bit', -64, 63],
  ['uint8', '7-bit', 64, 191],
] as const)('weights: %s %s are %d to %d', (type, levels, qmin, qmax) => {
  expect(weightFormat({ type, levels })).toMatchObject({ storage: type, qmin, qmax })
})

it('numbers are taken as they are, within the type', () => {
  expect(activationFormat({ type: 'int8', levels: { qmin: -5, qmax: 9 } })).toMatchObject({
    qmin: -5,
    qmax: 9,
  })
  expect(() => activationFormat({ type: 'uint8', levels: { qmin: -1, qmax: 9 } })).toThrow(RangeError)
  expect(() => weightFormat({ type: 'int8', levels: { qmin: -5, qmax: 0 } })).toThrow('both sides of 0')
})
