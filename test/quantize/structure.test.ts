import { describe, expect, it } from 'vitest'
import { Pace } from '../../lib/event-loop.js'
import type { Graph } from '../../lib/graph/graph.js'
import { printGraph } from '../../lib/graph/print.js'
import { inferGraph } from '../../lib/ops/core/infer.js'
import { insertQuantizers } from '../../lib/quantize/insert.js'
import { paramsOf } from '../../lib/quantize/params.js'
import { quantizeProducts } from '../../lib/quantize/products.js'
import { excluder, parseRecipe, type RecipeOptions } from '../../lib/quantize/recipe.js'
import { refuseQuantized } from '../../lib/quantize/refuse.js'
import { cutAfter } from '../../lib/quantize/segments.js'
import { findUnits } from '../../lib/quantize/units.js'
import { findQuantizedValues } from '../../lib/quantize/values.js'
import { graph, node, noise, numbers, residualNet } from './graphs.js'

/** The QDQ graph, every range being [-1, 2]; nodes as text, constants left out. */
async function quantized(
  float: Graph,
  options: RecipeOptions = {},
): Promise<{ graph: Graph; lines: string[] }> {
  const recipe = parseRecipe(options)
  const info = inferGraph(float)
  const units = findUnits(float, info, excluder(recipe.exclude)).integer
  const values = findQuantizedValues(float, units)
  const { type, symmetric } = recipe.activations
  const params = new Map(
    [...values.observed, ...values.fixed.keys()].map((root) => [root, paramsOf([-1, 2], type, symmetric)]),
  )
  const products = await quantizeProducts(
    float,
    info,
    units,
    (name) => {
      const p = params.get(values.values.get(name)?.root ?? '')
      if (!p) throw new Error(`no parameters of ${name}`)
      return p
    },
    { recipe: recipe.weights, addBias: recipe.biasCorrection, pace: new Pace() },
  )
  const { graph: result } = insertQuantizers({
    graph: float,
    units,
    values,
    products,
    params,
    activations: recipe.activations,
  })
  inferGraph(result)
  const lines = printGraph({ ...result, constants: new Map() }, { names: false })
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim().replace(/ \{.*\}/, ''))
  return { graph: result, lines }
}

function unitsOf(float: Graph, exclude: RecipeOptions['exclude'] = []) {
  const { integer, float: rest } = findUnits(
    float,
    inferGraph(float),
    excluder(parseRecipe({ exclude }).exclude),
  )
  return {
    integer: integer.map((u) => [u.node, ...u.absorbed].map((n) => n.opType).join('+')),
    float: Object.fromEntries(rest),
  }
}

describe('findUnits', () => {
  it('takes everything but the last step; Relu belongs to what it follows', () => {
    expect(unitsOf(residualNet())).toEqual({
      integer: ['Conv+Relu', 'Conv', 'Add+Relu', 'GlobalAveragePool', 'Flatten', 'Gemm'],
      float: { 'Softmax:y': 'makes an output of the model, which is float' },
    })
  })

  it('only one step that computes is last', () => {
    const float = graph({
      inputs: { x: [1, 3, 4, 4] },
      outputs: ['y'],
      nodes: [
        node('c = Conv(x, w)'),
        node('p = GlobalAveragePool(c)'),
        node('f = Flatten(p)'),
        node('s = Softmax(f)', { axis: -1 }),
        node('y = Flatten(s)'),
      ],
      constants: { w: noise(4, 3, 3, 3) },
    })
    expect(unitsOf(float).integer).toEqual(['Conv', 'GlobalAveragePool'])
    expect(Object.keys(unitsOf(float).float).sort()).toEqual(['Flatten:f', 'Flatten:y', 'Softmax:s'])
  })

  it('excludes by name', () => {
    expect(unitsOf(residualNet(), [/^Gemm/, 'Conv:c2']).float).toEqual({
      'Conv:c2': 'excluded by the recipe',
      'Gemm:g': 'excluded by the recipe',
      'Softmax:y': 'makes an output of the model, which is float',
    })
  })

  it('a bias added after a MatMul belongs to it; other sums do not', () => {
    const float = graph({
      inputs: { x: [2, 3, 4] },
      outputs: ['y'],
      nodes: [
        node('m = MatMul(x, w)'),
        node('a = Add(m, b)'),
        node('r = Relu(a)'),
        node('n = MatMul(r, v)'),
        node('s = Add(n, c)'),
        node('y = MatMul(s, w)'),
      ],
      constants: { w: noise(4, 4), v: noise(4, 4), b: noise(4), c: noise(3, 4) },
    })
    expect(unitsOf(float).integer).toEqual(['MatMul+Add+Relu', 'MatMul', 'Add', 'MatMul'])
  })

  it('functions of one element in a row are one table, scales and shifts by a number among them', () => {
    const float = graph({
      inputs: { x: [1, 3, 4, 4] },
      outputs: ['y'],
      nodes: [
        node('c = Conv(x, w)'),
        node('h = HardSwish(c)'),
        node('m = Mul(h, two)'),
        node('a = Add(half, m)'),
        node('y = Conv(a, v)'),
      ],
      constants: { w: noise(4, 3, 1, 1), v: noise(2, 4, 1, 1), two: numbers([2], []), half: numbers([0.5]) },
    })
    expect(unitsOf(float).integer).toEqual(['Conv', 'HardSwish+Mul+Add', 'Conv'])
    const { integer } = findUnits(float, inferGraph(float), () => false)
    const { domains, observed } = findQuantizedValues(float, integer)
    expect(observed).toEqual(['x', 'c', 'a'])
    expect([...domains]).toEqual([['c', [-3, Number.POSITIVE_INFINITY]]])
  })

  it('norms stay in float, and so do movers between float nodes', () => {
    const float = graph({
      inputs: { x: [2, 3, 4] },
      outputs: ['y'],
      nodes: [
        node('l = LayerNormalization(x, k)'),
        node('t = Transpose(l)', { perm: [0, 2, 1] }),
        node('u = Transpose(t)', { perm: [0, 2, 1] }),
        node('n = LayerNormalization(u, k)'),
        node('y = MatMul(n, w)'),
      ],
      constants: { k: noise(4), w: noise(4, 4) },
    })
    expect(unitsOf(float)).toEqual({
      integer: ['MatMul'],
      float: {
        'LayerNormalization:l': 'has no integer form',
        'LayerNormalization:n': 'has no integer form',
        'Transpose:t': 'stands between float nodes',
        'Transpose:u': 'stands between float nodes',
      },
    })
  })
})

describe('insertQuantizers', () => {
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
        node('m = MaxPool(x)', { kernel_shape: [2, 2] }),
        node('t = Transpose(m)', { perm: [0, 2, 3, 1] }),
        node('y = MatMul(t, w)'),
      ],
      constants: { w: noise(2, 3) },
    })
    const { lines } = await quantized(float)
    expect(lines.filter((l) => l.includes('QuantizeLinear('))).toEqual([
      'x_quantized = QuantizeLinear(x, x_scale, x_zero_point)',
      'm_quantized = QuantizeLinear(m, x_scale, x_zero_point)',
      't_quantized = QuantizeLinear(t, x_scale, x_zero_point)',
    ])
  })

  it('an output that integer nodes read too is what they read', async () => {
    const float = graph({
      inputs: { x: [1, 4] },
      outputs: ['s', 'y'],
      nodes: [node('s = Add(x, k)'), node('y = Gemm(s, w)')],
      constants: { k: numbers([0.5, -1, 0, 2]), w: noise(4, 2) },
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

describe('segments', () => {
  it('hold what later ones read, and nothing else', () => {
    const float = residualNet()
    const cuts = new Set(float.nodes.filter((n) => n.opType === 'Conv' || n.opType === 'Gemm'))
    const segments = cutAfter(float, cuts)
    expect(segments.map((s) => [s.inputs.join(), s.outputs.join(), [...s.live].join()])).toEqual([
      ['x', 'c1', 'c1'],
      ['c1', 'r1,c2', 'r1,c2'],
      ['c2,r1', '', ''],
    ])
  })
})

describe('refusals', () => {
  it.each([
    'QuantizeLinear',
    'DequantizeLinear',
    'QLinearConv',
    'ConvInteger',
    'DynamicQuantizeLinear',
    'QGemm',
  ])('%s is quantized already', (opType) => {
    const g = graph({ inputs: { x: [1] }, outputs: ['y'], nodes: [{ ...node('y = Relu(x)'), opType }] })
    expect(() => refuseQuantized(g)).toThrow(/quantized already: node 'Relu:y'/)
  })

  it('float models pass', () => {
    expect(() => refuseQuantized(residualNet())).not.toThrow()
  })
})
