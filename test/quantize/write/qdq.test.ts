import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { printGraph } from '../../../lib/graph/print.js'
import { tensorFromNumbers } from '../../../lib/graph/tensor.js'
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
        "q = QuantizeLinear(x, s_1, z)",
        "d = DequantizeLinear(q, s_1, z)",
        "d_1 = DequantizeLinear(w, s_2, z_1)",
        "d_2 = DequantizeLinear(b, s_3, z_2)",
        "c1 = Conv(d, d_1, d_2)",
        "r1 = Relu(c1)",
        "q_1 = QuantizeLinear(r1, s_1, z)",
        "d_3 = DequantizeLinear(q_1, s_1, z)",
        "d_4 = DequantizeLinear(w_1, s_4, z_1)",
        "d_5 = DequantizeLinear(b_1, s_5, z_2)",
        "c2 = Conv(d_3, d_4, d_5)",
        "q_2 = QuantizeLinear(c2, s_1, z)",
        "d_6 = DequantizeLinear(q_2, s_1, z)",
        "d_7 = DequantizeLinear(q_1, s_1, z)",
        "s = Add(d_6, d_7)",
        "r2 = Relu(s)",
        "q_3 = QuantizeLinear(r2, s_1, z)",
        "d_8 = DequantizeLinear(q_3, s_1, z)",
        "p = GlobalAveragePool(d_8)",
        "q_4 = QuantizeLinear(p, s_1, z)",
        "d_9 = DequantizeLinear(q_4, s_1, z)",
        "f = Flatten(d_9)",
        "q_5 = QuantizeLinear(f, s_1, z)",
        "d_10 = DequantizeLinear(q_5, s_1, z)",
        "d_11 = DequantizeLinear(w_2, s_6, z_3)",
        "d_12 = DequantizeLinear(b_2, s_7, z_4)",
        "g = Gemm(d_10, d_11, d_12)",
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
      'q_1 = QuantizeLinear(c, s, z)',
      'q_2 = QuantizeLinear(m, s, z)',
      'q_3 = QuantizeLinear(t, s, z)',
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
    expect(lines).toMatchInlineSnapshot(`
      [
        "q = QuantizeLinear(x, s_1, z)",
        "d = DequantizeLinear(q, s_1, z)",
        "d_1 = DequantizeLinear(w_1, s_2, z_1)",
        "d_2 = DequantizeLinear(b, s_3, z_2)",
        "g = Gemm(d, d_1, d_2)",
        "q_1 = QuantizeLinear(g, s_1, z)",
        "d_3 = DequantizeLinear(q_1, s_1, z)",
        "d_4 = DequantizeLinear(w_2, s_1, z)",
        "s_real = Add(d_3, d_4)",
        "q_2 = QuantizeLinear(s_real, s_1, z)",
        "s = DequantizeLinear(q_2, s_1, z)",
        "d_6 = DequantizeLinear(q_2, s_1, z)",
        "d_7 = DequantizeLinear(w_3, s_4, z_3)",
        "d_8 = DequantizeLinear(b_1, s_5, z_4)",
        "y = Gemm(d_6, d_7, d_8)",
      ]
    `)
  })

  it('weights: one scale per channel of the output, or one', async () => {
    const scalesOf = (result: Graph, reader: string) => {
      const weights = result.nodes.find(({ name }) => name === reader)?.inputs[1]
      const [levels, scale, zero] = result.nodes.find(({ outputs }) => outputs[0] === weights)?.inputs ?? []
      return [levels, scale, zero].map((name) => result.constants.get(name ?? ''))
    }
    const perChannel = (await quantized(residualNet())).graph
    expect(scalesOf(perChannel, 'Conv:c1')).toMatchObject([{ dtype: 'int8' }, { dims: [4] }, { dims: [4] }])
    expect(scalesOf(perChannel, 'Gemm:g')).toMatchObject([{ dtype: 'int8' }, { dims: [5] }, { dims: [5] }])
    expect([...perChannel.constants.values()].filter(({ dtype }) => dtype === 'int32')).toMatchObject([
      { dims: [4] },
      { dims: [4] },
      { dims: [4] },
      { dims: [5] },
      { dims: [5] },
    ])
    expect(perChannel.constants.has('w1')).toBe(false)
    const perTensor = (await quantized(residualNet(), { weights: { granularity: 'tensor', type: 'uint8' } }))
      .graph
    const [, scale, zero] = scalesOf(perTensor, 'Conv:c1')
    expect(scale?.dims).toEqual([])
    expect(zero?.data).toEqual(Uint8Array.of(128))
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
    expect([...result.constants.values()].filter(({ dims }) => dims.length === 2)).toHaveLength(1)
    for (const n of result.nodes.filter((m) => m.opType === 'Gemm')) {
      expect(n.attributes.alpha).toEqual({ kind: 'float', value: 1 })
      expect(n.attributes.beta).toEqual({ kind: 'float', value: 1 })
    }
  })

  it('quantizes what floats move as it was, so that onnxruntime has no DequantizeLinear to pass over', async () => {
    const float = graph({
      inputs: { x: [1, 4] },
      outputs: ['y', 't'],
      nodes: [
        node('a = Gemm(x, w, b)'),
        node('r = Relu(a)'),
        node('y = Gemm(r, w, b)'),
        node('u = Unsqueeze(r, axes)'),
        node('t = Transpose(u)'),
      ],
      constants: { w: noise(4, 4), b: numbers([1, 1, 1, 1]), axes: tensorFromNumbers('int64', [1], [0]) },
    })
    const { lines } = await quantized(float)
    expect(lines.slice(lines.indexOf('r = Relu(a)'))).toMatchInlineSnapshot(`
      [
        "r = Relu(a)",
        "q_1 = QuantizeLinear(r, s, z)",
        "d_3 = DequantizeLinear(q_1, s, z)",
        "d_4 = DequantizeLinear(w_1, s_1, z_1)",
        "d_5 = DequantizeLinear(b_2, s_2, z_2)",
        "y = Gemm(d_3, d_4, d_5)",
        "d_6 = DequantizeLinear(q_1, s, z)",
        "u_real = Unsqueeze(d_6, axes)",
        "q_2 = QuantizeLinear(u_real, s, z)",
        "u = DequantizeLinear(q_2, s, z)",
        "t_real = Transpose(u)",
        "q_3 = QuantizeLinear(t_real, s, z)",
        "t = DequantizeLinear(q_3, s, z)",
      ]
    `)
  })

  it('gives the same graph every time', async () => {
    const float = residualNet()
    const print = async () => printGraph((await quantized(float)).graph)
    expect(await print()).toBe(await print())
  })
})
