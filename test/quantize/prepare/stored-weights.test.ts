import { describe, expect, it } from 'vitest'
import type { ConstantTensor, Graph } from '../../../lib/graph/graph.js'
import { floatsOf, numbersOf, tensorFromNumbers } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { quantize } from '../../../lib/quantize/index.js'
import { refuseQuantized } from '../../../lib/quantize/prepare/refuse.js'
import { storedScales, withFloatWeights } from '../../../lib/quantize/prepare/stored-weights.js'
import { Tensor } from '../../../lib/session/tensor.js'
import { type GraphParts, graph, node, numbers } from '../graphs.js'
import { fileOf } from '../model.js'

/** Levels that leave room: no channel but the first reaches 127. */
const LEVELS = Array.from({ length: 6 * 4 }, (_, i) => ((i * 53) % 90) - 45 + (i === 0 ? 172 : 0))
const int8 = (values: readonly number[], dims: readonly number[]) => tensorFromNumbers('int8', dims, values)

function weightOnly(nodes: GraphParts['nodes'], constants: Record<string, ConstantTensor>): Graph {
  return graph({
    inputs: { x: [2, 6] },
    outputs: ['y'],
    nodes: [...nodes, node('y = MatMul(x, w)')],
    constants,
  })
}

const FORMS: Record<string, Graph> = {
  'DequantizeLinear, one scale': weightOnly([node('w = DequantizeLinear(q, s)')], {
    q: int8(LEVELS, [6, 4]),
    s: numbers([0.0137], []),
  }),
  'DequantizeLinear, a scale per column': weightOnly([node('w = DequantizeLinear(q, s, z)', { axis: 1 })], {
    q: int8(LEVELS, [6, 4]),
    s: numbers([0.0137, 0.02, 0.5, 0.003]),
    z: int8([0, 0, 0, 0], [4]),
  }),
  'Cast and Mul': weightOnly([node('f = Cast(q)', { to: 1 }), node('w = Mul(f, s)')], {
    q: int8(LEVELS, [6, 4]),
    s: numbers([0.0137, 0.02, 0.5, 0.003], [1, 4]),
  }),
}

describe('weights that the file states as integers', () => {
  it.each(Object.entries(FORMS))('%s: the levels stay what they are', async (_, form) => {
    const feed = (k: number) => ({
      x: new Tensor(
        'float32',
        Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + k)),
        [2, 6],
      ),
    })
    const { model } = await quantize(fileOf(form), { data: [0, 1, 2, 3, 4, 5, 6, 7].map(feed) })
    const { graph: written } = await readModel(model)
    const weights = [...written.constants.values()].filter(({ dims }) => dims.join() === '6,4')
    expect(weights.map((w) => [...numbersOf(w)])).toEqual([LEVELS])
  })

  it('become floats, each by its scale and zero point', () => {
    const form = weightOnly([node('w = DequantizeLinear(q, s, z)', { axis: 0 })], {
      q: tensorFromNumbers('uint8', [2, 3], [128, 129, 0, 10, 11, 12]),
      s: numbers([0.5, 2]),
      z: tensorFromNumbers('uint8', [2], [128, 10]),
    })
    const { nodes, constants } = withFloatWeights(form)
    expect(nodes.map(({ opType }) => opType)).toEqual(['MatMul'])
    expect([...floatsOf(constants.get('w') as ConstantTensor)]).toEqual([0, 0.5, -64, 0, 2, 4])
    expect(storedScales(form)).toEqual([Float32Array.of(0.5, 2)])
  })

  it('are a float model; activations that are quantized, blocks and 4 bits are not', () => {
    for (const form of Object.values(FORMS)) expect(() => refuseQuantized(form)).not.toThrow()
    const activations = graph({
      inputs: { x: [2, 6] },
      outputs: ['y'],
      nodes: [node('q = QuantizeLinear(x, s)'), node('y = DequantizeLinear(q, s)')],
      constants: { s: numbers([1], []) },
    })
    expect(() => refuseQuantized(activations)).toThrow(/QuantizeLinear:q.*1 more/)
    const blocks = weightOnly([node('w = DequantizeLinear(q, s)', { axis: 0, block_size: 3 })], {
      q: int8(LEVELS, [6, 4]),
      s: numbers([1, 1, 1, 1, 1, 1, 1, 1], [2, 4]),
    })
    expect(() => refuseQuantized(blocks)).toThrow(/quantized already/)
    const few = weightOnly([node('w = DequantizeLinear(q, s)')], {
      q: tensorFromNumbers(
        'int4',
        [6, 4],
        LEVELS.map((q) => q & 7),
      ),
      s: numbers([1], []),
    })
    expect(() => refuseQuantized(few)).toThrow(/quantized already/)
  })
})
