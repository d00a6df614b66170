/** Calibration of graphs that are compiled for what they are fed. */
import { describe, expect, it } from 'vitest'
import { openEngine, prepare } from '../../lib/calibrate/engine.js'
import { checkFeeds, type InputSpec } from '../../lib/calibrate/feeds.js'
import { Pace } from '../../lib/event-loop.js'
import type { Graph } from '../../lib/graph/graph.js'
import { Tensor } from '../../lib/session/tensor.js'
import { resizing, samples, squeezing } from './open-graphs.js'

const feedsOf = (graph: Graph, feeds: Readonly<Record<string, Tensor>>) => {
  const inputs = graph.inputs.map((name) => ({ name, type: graph.types.get(name) }) as InputSpec)
  return checkFeeds(feeds, 0, inputs, new Pace())
}

describe('a graph with an engine per feed', () => {
  it('is prepared as far as that goes', async () => {
    const { info } = await prepare(squeezing())
    expect(info.types.get('r')?.shape?.length).toBe(2)
    expect(info.types.get('y')).toBeUndefined()
  })

  it('gathers observations over all its engines', async () => {
    const { graph } = await prepare(squeezing())
    const moments = { kind: 'moments', value: 'r' } as const
    const sums = { kind: 'channelSums', value: 'r', channelAxis: 1 } as const
    const engine = await openEngine(graph, { observe: [moments, sums], extraOutputs: ['r'] })
    expect(engine.observed(moments)).toBeUndefined()
    const seen: number[] = []
    for (const feeds of samples([1, 3, 1, 2])) {
      const { r } = await engine.run(await feedsOf(graph, feeds), ['r'])
      seen.push(...new Float32Array(r?.data.buffer as ArrayBuffer))
    }
    expect(engine.observed(moments)).toMatchObject({
      count: 7 * 16,
      nonfinite: 0,
      min: Math.min(...seen),
      max: Math.max(...seen),
    })
    const total = seen.reduce((a, b) => a + b, 0)
    expect(engine.observed(sums)?.sums.reduce((a, b) => a + b, 0)).toBeCloseTo(total, 5)
    engine.release()
  })

  it('keeps what it has seen when it drops engines', async () => {
    const { graph } = await prepare(resizing())
    const moments = { kind: 'moments', value: 'b' } as const
    const engine = await openEngine(graph, { observe: [moments] })
    let elements = 0
    for (let size = 3; size < 15; ++size) {
      const x = new Tensor('float32', new Float32Array(2 * size * size).fill(1), [1, 2, size, size])
      const scales = new Tensor('float32', Float32Array.of(1, 1, 2, 1), [4])
      await engine.run(await feedsOf(graph, { x, scales }), [])
      elements += 4 * 2 * (size - 2) * (size - 2)
    }
    expect(engine.observed(moments)?.count).toBe(elements)
    engine.release()
  })

  it('observes what is a constant for the sizes that are fed', async () => {
    const { graph } = await prepare(squeezing())
    const moments = { kind: 'moments', value: 'late' } as const
    const late: Graph = {
      ...graph,
      nodes: [
        ...graph.nodes,
        {
          name: 'cast',
          opType: 'Cast',
          domain: '',
          inputs: ['rows'],
          outputs: ['late'],
          attributes: { to: { kind: 'int', value: 1 } },
        },
        { name: 'add', opType: 'Add', domain: '', inputs: ['y', 'late'], outputs: ['z'], attributes: {} },
      ],
      outputs: ['z'],
    }
    const engine = await openEngine(late, { observe: [moments] })
    for (const feeds of samples([1, 3])) await engine.run(await feedsOf(graph, feeds), [])
    expect(engine.observed(moments)).toMatchObject({ count: 2, min: 1, max: 3 })
    engine.release()
  })
})

it('computes what is observed, though no output needs it', async () => {
  const { graph } = await prepare(squeezing())
  const node = { name: 'n', opType: 'Neg', domain: '', inputs: ['r'], outputs: ['negative'], attributes: {} }
  const moments = { kind: 'moments', value: 'negative' } as const
  const engine = await openEngine({ ...graph, nodes: [...graph.nodes, node] }, { observe: [moments] })
  for (const feeds of samples([2])) await engine.run(await feedsOf(graph, feeds))
  expect(engine.observed(moments)).toMatchObject({ count: 32, nonfinite: 0 })
  engine.release()
})
