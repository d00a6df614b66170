/** The correction of one product: the mean that the next layer sees becomes the float one. */
import { expect, test } from 'vitest'
import { readAll } from '../../../lib/calibrate/collect.js'
import { openEngine } from '../../../lib/calibrate/engine.js'
import { type HeldSample, mulberry32, type Sample } from '../../../lib/calibrate/reservoir.js'
import { Pace } from '../../../lib/event-loop.js'
import type { Graph, Node } from '../../../lib/graph/graph.js'
import { inferGraph } from '../../../lib/ops/core/infer.js'
import { biasCorrections } from '../../../lib/quantize/correct/bias.js'
import { graph, node, numbers } from '../graphs.js'

const [CHANNELS, SIDE, SAMPLES] = [4, 16, 8]
const random = mulberry32(5)
const uniform = (n: number) => Array.from({ length: n }, () => 2 * random() - 1)
const weights = uniform(CHANNELS * 9)

/** The error of these weights is large where x is negative, and a Relu hides most of that. */
const wrong = weights.map((w) => w * 1.1)
const relu = node('y = Relu(c)')

function net(values: number[], activation: Node): Graph {
  return graph({
    inputs: { x: [1, 1, SIDE, SIDE] },
    outputs: ['y'],
    nodes: [node('c = Conv(x, w, b)', { pads: [1, 1, 1, 1] }), activation],
    constants: { w: numbers(values, [CHANNELS, 1, 3, 3]), b: numbers([-1, -0.5, 0, 0.5]) },
  })
}

const samples: Sample[] = Array.from({ length: SAMPLES }, () => ({
  x: {
    dtype: 'float32',
    dims: [1, 1, SIDE, SIDE],
    data: new Uint8Array(Float32Array.from(uniform(SIDE * SIDE)).buffer),
  },
}))

/** Means of every channel of `value`, with `shift` added and negative values cut off if `bounded`. */
async function means(float: Graph, shift: Float64Array, bounded: boolean): Promise<number[]> {
  const engine = await openEngine(float, { extraOutputs: ['c'] })
  const sums = new Array<number>(CHANNELS).fill(0)
  for (const sample of samples) {
    const { c } = await engine.run(sample, ['c'])
    const data = c?.data ?? new Uint8Array()
    const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
    values.forEach((v, i) => {
      const channel = Math.floor(i / SIDE ** 2)
      const x = v + (shift[channel] as number)
      sums[channel] = (sums[channel] as number) + (bounded ? Math.max(0, x) : x)
    })
  }
  engine.release()
  return sums.map((s) => s / (SAMPLES * SIDE ** 2))
}

test.each([
  ['after a Relu', relu, true],
  ['where nothing follows', node('y = Identity(c)'), false],
])('the mean is the float one %s', async (_, activation, bounded) => {
  const float = net(weights, activation)
  const quantized = net(wrong, activation)
  const floatValue = bounded ? 'y' : 'c'
  const observe = [{ kind: 'channelSums', perRun: true, value: floatValue, channelAxis: 1 } as const]
  const engine = await openEngine(float, { observe })
  const held: HeldSample[] = []
  for (const sample of samples) {
    await engine.run(sample, [])
    held.push({ sample, statistics: await readAll(engine, observe, new Pace()) })
  }
  engine.release()
  const bounds = bounded ? [relu] : []
  const target = {
    floatValue,
    value: 'c',
    bounds,
    step: 1 / 64,
    channelAxis: 1,
    bias: {
      constant: 'b',
      reader: 'Conv:c',
      position: 2,
      correctable: (delta: Float64Array) => delta,
      corrected: () => numbers([0, 0, 0, 0]),
    },
  }
  const { types } = inferGraph(quantized)
  const corrections = await biasCorrections({
    graph: quantized,
    types,
    samples: held,
    targets: [target],
  })
  const none = new Float64Array(CHANNELS)
  const wanted = await means(float, none, bounded)
  const before = await means(quantized, none, bounded)
  const after = await means(quantized, corrections.get(target) ?? none, bounded)
  for (let c = 0; c < CHANNELS; ++c) {
    const [was, is] = [before, after].map((m) => Math.abs((m[c] as number) - (wanted[c] as number)))
    // One Newton step: the curvature of a Relu leaves some.
    expect(is as number).toBeLessThan((bounded ? 0.2 : 0.01) * (was as number) + 1e-5)
  }
})
