/** A graph run layer by layer gives what it gives as a whole, with what was changed on the way. */
import { describe, expect, it } from 'vitest'
import { type EngineTensor, openEngine } from '../../../lib/calibrate/engine.js'
import { mulberry32, type Sample } from '../../../lib/calibrate/reservoir.js'
import type { Graph } from '../../../lib/graph/graph.js'
import { inferGraph } from '../../../lib/ops/core/infer.js'
import { type LayerwiseOptions, LayerwiseRunner } from '../../../lib/quantize/layerwise/runner.js'
import { graph, node, noise, numbers, residualNet } from '../graphs.js'

const random = mulberry32(3)

function samplesOf(count: number, dims: readonly number[]): Sample[] {
  return Array.from({ length: count }, () => {
    const elements = dims.reduce((n, d) => n * d, 1)
    const data = Float32Array.from({ length: elements }, () => 2 * random() - 1)
    return { x: { dtype: 'float32' as const, dims, data: new Uint8Array(data.buffer) } }
  })
}

function runnerOf(float: Graph, rest: Partial<LayerwiseOptions> = {}): LayerwiseRunner {
  const samples = rest.samples ?? samplesOf(3, [1, 3, 8, 8])
  const cuts = ['Conv:c1', 'Conv:c2', 'Gemm:g']
  return new LayerwiseRunner({ graph: float, types: inferGraph(float).types, cuts, ...rest, samples })
}

async function whole(float: Graph, samples: readonly Sample[], value: string): Promise<number[][]> {
  const engine = await openEngine(float, { extraOutputs: [value] })
  const results = []
  for (const sample of samples) results.push(floats((await engine.run(sample, [value]))[value]))
  engine.release()
  return results
}

function floats(tensor: EngineTensor | undefined): number[] {
  const data = (tensor?.data ?? new Uint8Array()).slice()
  return [...new Float32Array(data.buffer)]
}

const column = (outputs: readonly Sample[], value: string) => outputs.map((o) => floats(o[value]))

describe('LayerwiseRunner', () => {
  it('visits the layers in order, and each gives what the whole graph does', async () => {
    const float = residualNet()
    const samples = samplesOf(3, [1, 3, 8, 8])
    const runner = runnerOf(float, { samples })
    const visited: string[] = []
    for (let last = runner.last; last; last = runner.last) {
      const value = last.outputs[0] ?? ''
      const { outputs } = await runner.advance({ outputs: [value] })
      expect(column(outputs, value)).toEqual(await whole(float, samples, value))
      visited.push(last.name)
    }
    expect(visited).toEqual(['Conv:c1', 'Conv:c2', 'Gemm:g'])
    expect(runner.layer).toBeUndefined()
    await expect(runner.run()).rejects.toThrow('no layer after the last cut')
  })

  it('holds what is read later, and nothing else', async () => {
    const runner = runnerOf(residualNet())
    const held = () => runner.samples.map((s) => Object.keys(s).join())
    expect(held()).toEqual(['x', 'x', 'x'])
    await runner.advance()
    expect(held()).toEqual(['c1', 'c1', 'c1'])
    await runner.advance()
    expect(held()).toEqual(['r1,c2', 'r1,c2', 'r1,c2'])
  })

  it('run stays at the layer, observes any of its values, and shows its inputs', async () => {
    const float = residualNet()
    const samples = samplesOf(2, [1, 3, 8, 8])
    const runner = runnerOf(float, { samples })
    await runner.advance()
    const probe = { nodes: [node('n = Neg(r1)')], constants: new Map() }
    const observe = ['r1', 'n'].flatMap((value) => [
      { kind: 'moments' as const, value },
      { kind: 'channelSums' as const, value, channelAxis: 1 },
    ])
    const { statistics, outputs } = await runner.run({ probe, observe, outputs: ['r1'] })
    const expected = (await whole(float, samples, 'r1')).flat()
    expect(column(outputs, 'r1').flat()).toEqual(expected)
    expect(statistics.get('r1')?.moments).toMatchObject({
      count: expected.length,
      max: Math.max(...expected),
    })
    expect(statistics.get('n')?.moments?.min).toBe(-Math.max(...expected))
    expect(statistics.get('r1')?.channelSums?.sums).toHaveLength(4)
    expect(runner.last?.name).toBe('Conv:c2')
  })

  it('what is replaced before a layer is left, all later layers see, and the graph has', async () => {
    const float = residualNet()
    const samples = samplesOf(2, [1, 3, 8, 8])
    const runner = runnerOf(float, { samples })
    await runner.advance()
    const w2 = noise(4, 4, 3, 3)
    runner.replace({ constants: new Map([['w2', w2]]) })
    runner.replace({
      nodes: [node('r2 = Sigmoid(s)'), node('c2 = Conv(r1, w2)', { pads: [1, 1, 1, 1] })].map((n) =>
        n.opType === 'Sigmoid' ? { ...n, name: 'Relu:r2' } : n,
      ),
    })
    await runner.advance()
    const { outputs } = await runner.advance({ outputs: ['g'] })
    expect(runner.graph.constants.get('w2')).toBe(w2)
    expect(runner.graph.nodes.map((n) => n.opType)).toContain('Sigmoid')
    const results = await whole(runner.graph, samples, 'g')
    expect(column(outputs, 'g')).toEqual(results)
    expect(results).not.toEqual(await whole(float, samples, 'g'))
  })

  it('a shift reaches every later layer', async () => {
    const float = residualNet()
    const samples = samplesOf(2, [1, 3, 8, 8])
    const runner = runnerOf(float, { samples })
    await runner.advance()
    runner.shift('c1', numbers([1, -1, 0.5, 0], [1, 4, 1, 1]))
    await runner.advance()
    const { outputs } = await runner.advance({ outputs: ['g'] })
    const shifted: Graph = {
      ...float,
      nodes: float.nodes.flatMap((n) =>
        n.outputs[0] === 'c1' ? [{ ...n, outputs: ['before'] }, node('c1 = Add(before, shift)')] : [n],
      ),
      constants: new Map([...float.constants, ['shift', numbers([1, -1, 0.5, 0], [1, 4, 1, 1])]]),
    }
    const expected = await whole(shifted, samples, 'g')
    column(outputs, 'g').forEach((values, i) => {
      values.forEach((v, k) => {
        expect(v).toBeCloseTo(expected[i]?.[k] as number, 5)
      })
    })
  })

  it('drops samples that do not fit the budget, but never the last one', async () => {
    const runner = runnerOf(residualNet(), { maxBytes: 2 * 3 * 64 * 4 })
    expect(runner.samples).toHaveLength(2)
    await runner.advance()
    // 4 channels take more than 3 did.
    expect(runner.samples).toHaveLength(1)
    await runner.advance()
    expect(runner.samples).toHaveLength(1)
  })

  it('the reference goes with it, on the same samples', async () => {
    const float = residualNet()
    const samples = samplesOf(3, [1, 3, 8, 8])
    const reference = runnerOf(float, { samples })
    const changed: Graph = { ...float, constants: new Map([...float.constants, ['b1', noise(4)]]) }
    const runner = runnerOf(changed, { samples, reference, maxBytes: 2 * 4 * 64 * 4 })
    await runner.advance()
    const [own, wanted] = [await runner.run({ outputs: ['c2'] }), await reference.run({ outputs: ['c2'] })]
    expect(column(wanted.outputs, 'c2')).toEqual((await whole(float, samples, 'c2')).slice(0, 2))
    expect(column(own.outputs, 'c2')).toEqual((await whole(changed, samples, 'c2')).slice(0, 2))
  })

  it('samples of several sizes run through one plan', async () => {
    const float: Graph = {
      ...graph({
        inputs: { x: [1, 2, 4, 4] },
        outputs: ['y'],
        nodes: [node('c = Conv(x, w)'), node('r = Relu(c)'), node('y = Conv(r, w)')],
        constants: { w: noise(2, 2, 1, 1) },
      }),
    }
    const samples = [...samplesOf(1, [1, 2, 4, 4]), ...samplesOf(1, [1, 2, 6, 3])]
    const runner = runnerOf(float, { samples, cuts: ['Conv:c', 'Conv:y'] })
    await runner.advance()
    const { outputs } = await runner.advance({ outputs: ['y'] })
    expect(outputs.map((o) => o.y?.dims)).toEqual([
      [1, 2, 4, 4],
      [1, 2, 6, 3],
    ])
  })

  it('refuses to run without samples', () => {
    expect(() => runnerOf(residualNet(), { samples: [] })).toThrow('at least one sample')
  })
})
