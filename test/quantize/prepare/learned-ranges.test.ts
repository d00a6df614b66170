/** A model that spells out the fake quantization of its training keeps its scales and its levels when it is quantized. */
import { expect, it } from 'vitest'
import { printGraph } from '../../../lib/graph/print.js'
import { numbersOf } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { quantize } from '../../../lib/quantize/index.js'
import { withoutFakeQuantization } from '../../../lib/quantize/prepare/learned-ranges.js'
import { Tensor } from '../../../lib/session/tensor.js'
import { parseGraph } from '../../helpers/graph-text.js'
import { graph, node, numbers } from '../graphs.js'
import { fileOf } from '../model.js'

it('a Clip and a range take the place of a pair', () => {
  const { graph: clipped, ranges } = withoutFakeQuantization(
    parseGraph(`
      graph g (x: float32[2]) -> (y: ?)
        s: float32[] = 0.5
        z: uint8[] = 3
        q = QuantizeLinear(x, s, z)
        y = DequantizeLinear(q, s, z)
    `),
  )
  expect(ranges).toEqual(new Map([['y', [-1.5, 126]]]))
  expect(printGraph(clipped, { names: false })).toContain('y = Clip(x,')
})

it('leaves a pair whose scales differ', () => {
  const text = parseGraph(`
    graph g (x: float32[2]) -> (y: ?)
      s: float32[] = 0.5
      t: float32[] = 0.25
      z: uint8[] = 3
      q = QuantizeLinear(x, s, z)
      y = DequantizeLinear(q, t, z)
  `)
  expect(withoutFakeQuantization(text).graph).toBe(text)
})

it('scales of activations and levels of weights are those of the training', async () => {
  const levels = [40, -3, 25, 7, -50, 11, 90, 64]
  const model = graph({
    inputs: { x: [2, 4] },
    outputs: ['y'],
    nodes: [
      ...[node('a = Div(x, s)'), node('b = Round(a)'), node('c = Add(b, z)'), node('d = Clip(c, low, high)')],
      ...[node('e = Sub(d, z)'), node('f = Mul(e, s)')],
      ...[
        node('k = Div(w, t)'),
        node('l = Round(k)'),
        node('m = Clip(l, least, most)'),
        node('v = Mul(m, t)'),
      ],
      node('y = MatMul(f, v)'),
    ],
    constants: {
      ...{ s: numbers([0.0371], []), z: numbers([11], []), low: numbers([0], []), high: numbers([255], []) },
      ...{ t: numbers([0.013, 0.4], [1, 2]), least: numbers([-127], []), most: numbers([127], []) },
      w: numbers(
        levels.map((q, i) => (q + 0.2) * ([0.013, 0.4][i % 2] as number)),
        [4, 2],
      ),
    },
  })
  const data = Array.from({ length: 8 }, (_, i) => ({
    x: new Tensor(
      'float32',
      Float32Array.from({ length: 8 }, (_, k) => Math.sin(i * 8 + k)),
      [2, 4],
    ),
  }))
  const { model: file } = await quantize(fileOf(model), { data })
  const { nodes, constants } = (await readModel(file)).graph
  const quantizers = nodes.filter(({ opType }) => opType === 'QuantizeLinear')
  const constant = (name = '') => [...numbersOf(constants.get(name) ?? numbers([]))]
  expect(quantizers.map(({ inputs }) => constant(inputs[1]))).toEqual([[Math.fround(0.0371)]])
  expect(quantizers.map(({ inputs }) => constant(inputs[2]))).toEqual([[11 - 128]])
  const product = nodes.find(({ opType }) => opType === 'MatMul')
  const weights = nodes.find(({ outputs }) => outputs[0] === product?.inputs[1])
  expect(constant(weights?.inputs[0])).toEqual(levels)
  expect(constant(weights?.inputs[1])).toEqual([Math.fround(0.013), Math.fround(0.4)])
})
