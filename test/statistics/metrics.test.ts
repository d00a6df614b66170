import { describe, expect, it } from 'vitest'
import { Pace } from '../../lib/event-loop.js'
import { inferGraph } from '../../lib/ops/core/infer.js'
import { layerPairs } from '../../lib/report/layers.js'
import { summarize } from '../../lib/report/summary.js'
import { argmaxRows, MetricSums } from '../../lib/statistics/metrics.js'
import { graph, node } from '../quantize/graphs.js'

const pace = new Pace()

async function metrics(...pairs: (readonly [readonly number[], readonly number[]])[]) {
  const sums = new MetricSums()
  for (const [a, b] of pairs) await sums.add(a, b, pace)
  return sums.result()
}

describe('MetricSums', () => {
  it('has the cosine, the ratio and the differences of all samples together', async () => {
    const m = await metrics(
      [
        [3, 4],
        [3, 4.5],
      ],
      [[0], [1]],
    )
    expect(m.elements).toBe(3)
    expect(m.cosine).toBeCloseTo((9 + 18) / (5 * Math.sqrt(9 + 20.25 + 1)), 12)
    expect(m.sqnr).toBeCloseTo(10 * Math.log10(25 / 1.25), 12)
    expect(m.maxDifference).toBe(1)
    expect(m.meanDifference).toBeCloseTo(0.5, 12)
  })

  it('equal tensors have no ratio; zeros are alike; a NaN shows', async () => {
    expect(
      await metrics([
        [1, 2],
        [1, 2],
      ]),
    ).toMatchObject({ sqnr: null, maxDifference: 0 })
    expect(
      (
        await metrics([
          [0, 0],
          [0, 0],
        ])
      ).cosine,
    ).toBe(1)
    expect(
      (
        await metrics([
          [1, 2],
          [1, Number.NaN],
        ])
      ).maxDifference,
    ).toBeNaN()
  })
})

it('argmaxRows takes the first of equals', () => {
  expect(argmaxRows([1, 3, 3, 5, 0, 5], 3)).toEqual([1, 0])
})

it('summarize', async () => {
  const s = await summarize([1, 2, 3, 4], (x) => 2 * x, pace)
  expect(s).toMatchObject({ min: 2, max: 8, mean: 5 })
  expect(s.deviation).toBeCloseTo(Math.sqrt(5), 12)
})

it('layerPairs takes a quantized value as it is dequantized', () => {
  const float = graph({
    inputs: { x: [2] },
    outputs: ['y'],
    nodes: [node('h = Relu(x)'), node('y = Neg(h)')],
  })
  const quantized = graph({
    inputs: { x: [2] },
    outputs: ['y'],
    nodes: [
      node('h = Relu(x)'),
      node('h_quantized = QuantizeLinear(h, s)'),
      node('h_dequantized = DequantizeLinear(h_quantized, s)'),
      node('y = Neg(h_dequantized)'),
    ],
  })
  expect(layerPairs(float, quantized, inferGraph(float)).map((l) => [l.float, l.quantized])).toEqual([
    ['h', 'h_dequantized'],
    ['y', 'y'],
  ])
})
