/** Faults planted in the graph that a quantization wrote: measuring it beside the float one names the value and the node. */
import { expect, it } from 'vitest'
import { Judge } from '../../../lib/quantize/check/judge.js'
import { measure } from '../../../lib/quantize/check/measure.js'
import { suspects } from '../../../lib/quantize/check/suspects.js'
import { quantize } from '../../../lib/quantize/index.js'
import { runStages, stages } from '../../../lib/quantize/stages.js'
import type { QdqGraph } from '../../../lib/quantize/write/qdq-graph.js'
import { outputsOf, sqnrsOf } from '../cases/trial.js'
import { fileOf, samplesOf } from '../model.js'
import { begun } from '../record.js'
import { chain, chainWithOutliers, deadChannel, scaleTimes, zeroPointOff } from './faults.js'

const data = samplesOf(16)
const unchecked = stages.filter(({ name }) => name !== 'check')
const quantized = async (float = chain()) => runStages(begun(float, {}, { data }), unchecked)

const done = await quantized()
const written = done.quantized as QdqGraph
const sound = await measure(done, written, new Judge(done))

/** Noise over signal in dB, of everything up to a value. */
const noise = (values: typeof sound.values, name: string) => 10 * Math.log10(values.get(name)?.total ?? 0)

it('of a sound graph no value is worse than its neighbours', () => {
  expect([...sound.values.keys()].slice(0, 3)).toEqual(['x', 'r1', 'r2'])
  for (const name of sound.values.keys()) expect(noise(sound.values, name)).toBeLessThan(-30)
})

it.each([
  ['a scale times 8', 'r2', 'Conv:c2', scaleTimes(written.graph, 'r2', 8)],
  ['a wrong zero point', 'r2', 'Conv:c2', zeroPointOff(written.graph, 'r2', 40)],
  ['a dead channel', 'r3', 'Conv:c3', deadChannel(written.graph, 'c3', 2)],
])('%s is found at %s, and %s is the first suspect', async (_, value, node, graph) => {
  const found = await measure(done, { ...written, graph }, new Judge(done))
  const worse = [...found.values.keys()].filter(
    (name) => noise(found.values, name) > noise(sound.values, name) + 6,
  )
  expect(worse[0]).toBe(value)
  expect(suspects(done, found)[0]?.node.name).toBe(node)
})

it('outliers in a layer: the next one is ruined, and is a suspect', async () => {
  const float = chainWithOutliers(1000)
  const made = await quantized(float)
  const found = await measure(made, made.quantized as QdqGraph, new Judge(made))
  expect(noise(found.values, 'r3')).toBeGreaterThan(-15)
  expect(
    suspects(made, found)
      .slice(0, 2)
      .map(({ node }) => node.name),
  ).toContain('Conv:c3')
})

it('outliers in a layer: quantize() gives a good result all the same, or names the layer', async () => {
  const float = fileOf(chainWithOutliers(1000))
  const { model, report } = await quantize(float, { data })
  const held = samplesOf(8, 1, 77)
  const sqnr = sqnrsOf(await outputsOf(float, held), await outputsOf(model, held)).get('y') ?? Number.NaN
  const named = report.warnings.some((text) => text.includes("'Conv:c3'") || text.includes("'Conv:c2'"))
  expect(sqnr >= 20 || named).toBe(true)
  expect(report.float.map(({ node }) => node)).toContain('Conv:c3')
})
