import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { printGraph } from '../../../lib/graph/print.js'
import { inferGraph } from '../../../lib/ops/core/infer.js'
import type { RecipeOptions } from '../../../lib/quantize/recipe/types.js'
import { roundNearest } from '../../../lib/quantize/round/nearest.js'
import { activationScales } from '../../../lib/quantize/scales/activations.js'
import { layerScales } from '../../../lib/quantize/scales/layers.js'
import { writeQdq } from '../../../lib/quantize/write/qdq.js'
import { graph, node, noise, numbers, residualNet } from '../graphs.js'
import { assigned, through } from '../record.js'

/** The QDQ graph, every range being [-1, 2]; nodes as text, constants left out. */
async function quantized(
  float: Graph,
  options: RecipeOptions = {},
): Promise<{ graph: Graph; lines: string[] }> {
  const start = await assigned(float, options)
  const ranges = new Map(
    [...start.values.fixed.keys(), ...start.values.observed].map((root) => [root, [-1, 2] as const]),
  )
  // A fixed range would give scales that are powers of two.
  const values = { ...start.values, fixed: new Map() }
  const methods = [activationScales, layerScales, roundNearest, writeQdq]
  const { quantized: written } = await through({ ...start, values, ranges }, methods)
  const result = written?.graph as Graph
  inferGraph(result)
  const lines = printGraph({ ...result, constants: new Map() }, { names: false })
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim().replace(/ \{.*\}/, ''))
  return { graph: result, lines }
}

describe('writeQdq', () => {
  it('puts Q after activations, DQ before each reader, and none around the last step', async () => {
    const { lines } = await quantized(residualNet())
    expect(lines).toMatchInlineSnapshot(`
      [
        "x_quantized = QuantizeLinear(x, x_scale, x_zero_point)",
        "x_dequantized = DequantizeLinear(x_quantized, x_scale, x_zero_point)",
        "w1_dequantized = DequantizeLinear(w1_quantized, w1_scale, w1_zero_point)",
        "b1_dequantized = DequantizeLinear(b1_quantized, b1_scale, b1_zero_point)",
        "c1 = Conv(x_dequantized, w1_dequantized, b1_dequantized)",
        "r1 = Relu(c1)",
        "r1_quantized = QuantizeLinear(r1, r1_scale, r1_zero_point)",
        "r1_dequantized = DequantizeLinear(r1_quantized, r1_scale, r1_zero_point)",
        "w2_dequantized = DequantizeLinear(w2_quantized, w2_scale, w2_zero_point)",
        "Conv:c2_bias_dequantized = DequantizeLinear(Conv:c2_bias_quantized, Conv:c2_bias_scale, Conv:c2_bias_zero_point)",
        "c2 = Conv(r1_dequantized, w2_dequantized, Conv:c2_bias_dequantized)",
        "c2_quantized = QuantizeLinear(c2, c2_scale, c2_zero_point)",
        "c2_dequantized = DequantizeLinear(c2_quantized, c2_scale, c2_zero_point)",
        "r1_dequantized_1 = DequantizeLinear(r1_quantized, r1_scale, r1_zero_point)",
        "s = Add(c2_dequantized, r1_dequantized_1)",
        "r2 = Relu(s)",
        "r2_quantized = QuantizeLinear(r2, r2_scale, r2_zero_point)",
        "r2_dequantized = DequantizeLinear(r2_quantized, r2_scale, r2_zero_point)",
        "p = GlobalAveragePool(r2_dequantized)",
        "p_quantized = QuantizeLinear(p, p_scale, p_zero_point)",
        "p_dequantized = DequantizeLinear(p_quantized, p_scale, p_zero_point)",
        "f = Flatten(p_dequantized)",
        "f_quantized = QuantizeLinear(f, p_scale, p_zero_point)",
        "f_dequantized = DequantizeLinear(f_quantized, p_scale, p_zero_point)",
        "w3_dequantized = DequantizeLinear(w3_quantized, w3_scale, w3_zero_point)",
        "b3_dequantized = DequantizeLinear(b3_quantized, b3_scale, b3_zero_point)",
        "g = Gemm(f_dequantized, w3_dequantized, b3_dequantized)",
        "y = Softmax(g)",
      ]
    `)
  })

  it('movers have the parameters of what they move', async () => {
    const float = graph({
      inputs: { x: [1, 2, 4, 4] },
      outputs: ['y'],
      nodes: [
        node('c = Conv(x, v)'),
        node('m = MaxPool(c)', { kernel_shape: [2, 2] }),
        node('t = Transpose(m)', { perm: [0, 2, 3, 1] }),
        node('y = MatMul(t, w)'),
      ],
      constants: { v: noise(2, 2, 1, 1), w: noise(2, 3) },
    })
    const { lines } = await quantized(float)
    expect(lines.filter((l) => l.includes('QuantizeLinear(')).slice(1)).toEqual([
      'c_quantized = QuantizeLinear(c, c_scale, c_zero_point)',
      'm_quantized = QuantizeLinear(m, c_scale, c_zero_point)',
      't_quantized = QuantizeLinear(t, c_scale, c_zero_point)',
    ])
  })

  it('an output that integer nodes read too is what they read', async () => {
    const float = graph({
      inputs: { x: [1, 4] },
      outputs: ['s', 'y'],
      nodes: [node('g = Gemm(x, v)'), node('s = Add(g, k)'), node('y = Gemm(s, w)')],
      constants: { v: noise(4, 4), k: numbers([0.5, -1, 0, 2]), w: noise(4, 2) },
    })
    const { lines } = await quantized(float)
    expect(lines).toContain('s_quantized = QuantizeLinear(s_real, s_scale, s_zero_point)')
    expect(lines).toContain('s = DequantizeLinear(s_quantized, s_scale, s_zero_point)')
    expect(lines).toContain('k_dequantized = DequantizeLinear(k_quantized, k_scale, k_zero_point)')
  })

  it('weights: one scale per channel of the output, or one', async () => {
    const perChannel = (await quantized(residualNet())).graph.constants
    expect(perChannel.get('w1_scale')?.dims).toEqual([4])
    expect(perChannel.get('w3_scale')?.dims).toEqual([5])
    expect(perChannel.get('w1_quantized')?.dtype).toBe('int8')
    expect(perChannel.get('b1_quantized')).toMatchObject({ dtype: 'int32', dims: [4] })
    expect(perChannel.has('w1')).toBe(false)
    const perTensor = (await quantized(residualNet(), { weights: { granularity: 'tensor', type: 'uint8' } }))
      .graph
    expect(perTensor.constants.get('w1_scale')?.dims).toEqual([])
    expect(perTensor.constants.get('w1_zero_point')?.data).toEqual(Uint8Array.of(128))
  })

  it('nodes that share weights share the integer ones; alpha and beta go into the constants', async () => {
    const float = graph({
      inputs: { x: [1, 4] },
      outputs: ['y'],
      nodes: [
        node('a = Gemm(x, w, b)', { alpha: 2, beta: 3 }),
        node('c = Relu(a)'),
        node('y = Gemm(c, w, b)', { alpha: 2, beta: 3 }),
      ],
      constants: { w: noise(4, 4), b: numbers([1, 1, 1, 1]) },
    })
    const { graph: result } = await quantized(float)
    expect([...result.constants.keys()].filter((n) => /^w_quantized/.test(n))).toEqual(['w_quantized'])
    for (const n of result.nodes.filter((m) => m.opType === 'Gemm')) {
      expect(n.attributes.alpha).toEqual({ kind: 'float', value: 1 })
      expect(n.attributes.beta).toEqual({ kind: 'float', value: 1 })
    }
  })

  it('gives the same graph every time', async () => {
    const float = residualNet()
    const print = async () => printGraph((await quantized(float)).graph)
    expect(await print()).toBe(await print())
  })
})
