/** Formats by value and by weight, as the rules of a recipe say. */
import { expect, it } from 'vitest'
import { graph, node, noise } from '../graphs.js'
import { assigned } from '../record.js'

const float = graph({
  inputs: { x: [1, 3, 4, 4] },
  outputs: ['y'],
  nodes: [
    node('c = Conv(x, w)'),
    node('r = Relu(c)'),
    node('m = MaxPool(r)', { kernel_shape: [1, 1] }),
    node('d = Conv(m, v)'),
    node('y = Conv(d, v)'),
  ],
  constants: { w: noise(4, 3, 1, 1), v: noise(4, 4, 1, 1) },
})

it('a value has the format of its maker, an input of the model the default, a moved value none of its own', async () => {
  const { valueFormats, weightFormats } = await assigned(float, {
    activations: { symmetric: true },
    weights: { levels: '7-bit' },
    rules: [
      {
        match: { node: 'Conv:c' },
        activations: { type: 'uint8', symmetric: false },
        weights: { type: 'uint8' },
      },
      { match: { opType: 'Relu' }, activations: { levels: '7-bit' } },
      { match: { opType: 'MaxPool' }, activations: { type: 'uint8' } },
      { match: { node: 'Conv:d' }, weights: { levels: { qmin: -8, qmax: 7 } } },
    ],
  })
  const formats = [...valueFormats].map(([name, { format, symmetric }]) => [name, format.storage, symmetric])
  expect(formats).toEqual([
    ['x', 'int8', true],
    ['r', 'uint8', false],
    ['d', 'int8', true],
  ])
  expect(
    [...weightFormats].map(([f, { storage, qmin, qmax }]) => [f.node.name, storage, qmin, qmax]),
  ).toEqual([
    ['Conv:c', 'uint8', 64, 191],
    ['Conv:d', 'int8', -8, 7],
    ['Conv:y', 'int8', -64, 63],
  ])
})

it('what is excluded is quantized for nobody', async () => {
  const { fusions, valueFormats, weightFormats } = await assigned(float, {
    exclude: [/Conv/],
    rules: [{ match: { node: 'Conv:d' }, exclude: false }],
  })
  expect(fusions.integer.map((f) => f.node.name)).toContain('Conv:d')
  expect(fusions.float.get('Conv:c')).toBe('excluded by the recipe')
  expect(weightFormats.size).toBe(1)
  expect([...valueFormats.keys()]).not.toContain('x')
})
