/** Faults planted in a written file: compare() with layers shows the layer that has it, and no layer before it. */
import { expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { readModel, writeModel } from '../../../lib/onnx/index.js'
import { quantize } from '../../../lib/quantize/index.js'
import { compare } from '../../../lib/report/compare.js'
import { fileOf, samplesOf } from '../model.js'
import { chain, deadChannel, scaleTimes, zeroPointOff } from './faults.js'

const data = samplesOf(16)
const float = fileOf(chain())
const model = await readModel((await quantize(float, { data })).model)

/** SQNR of every layer in dB, by name. */
async function layersOf(quantized: Graph): Promise<Map<string, number>> {
  const { layers = [] } = await compare(float, writeModel({ ...model, graph: quantized }, {}), {
    data,
    layers: true,
  })
  return new Map(layers.map(({ name, sqnr }) => [name, sqnr ?? Number.POSITIVE_INFINITY]))
}

const sound = await layersOf(model.graph)

it.each([
  ['a scale times 8', 'r2', (g: Graph) => scaleTimes(g, 'r2', 8)],
  ['a wrong zero point', 'r2', (g: Graph) => zeroPointOff(g, 'r2', 40)],
  ['a dead channel', 'c3', (g: Graph) => deadChannel(g, 'c3', 2)],
])('%s shows at %s first', async (_, value, plant) => {
  const layers = await layersOf(plant(model.graph))
  const worse = [...layers].filter(([name, sqnr]) => sqnr < (sound.get(name) ?? 0) - 6)
  expect(worse[0]?.[0]).toBe(value)
  expect(sound.get(value)).toBeGreaterThan(30)
})
