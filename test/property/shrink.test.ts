/** The shrinker finds what is left of a graph when everything that a failure does not need is gone. */
import { expect, it } from 'vitest'
import { generate } from './generate.js'
import { bytesOf, pruned, type RandomGraph, textOf } from './random-graph.js'
import { shrink } from './shrink.js'

const has = (graph: RandomGraph, ...ops: string[]) => ops.every((op) => graph.nodes.some((n) => n.op === op))
const found = (...ops: string[]): RandomGraph => {
  for (let seed = 1; ; ++seed) {
    const graph = generate(seed)
    if (has(graph, ...ops) && graph.nodes.length > 12) return graph
  }
}

it('leaves the one node that fails', async () => {
  const smallest = await shrink(found('Sigmoid', 'Conv'), undefined, async (g) => has(g, 'Sigmoid'))
  expect(smallest.nodes.map((n) => n.op)).toEqual(['Sigmoid'])
  expect(smallest.constants.size).toBe(0)
})

it('keeps what fails only together', async () => {
  const smallest = await shrink(found('Softmax', 'Gemm'), undefined, async (g) => has(g, 'Softmax', 'Gemm'))
  expect(smallest.nodes.length).toBeLessThanOrEqual(3)
  expect(has(smallest, 'Softmax', 'Gemm')).toBe(true)
  expect(bytesOf(smallest).length).toBeGreaterThan(0)
})

it('feeds an input in place of what was cut off with what the whole graph made', async () => {
  const graph = found('Relu', 'Sqrt')
  const smallest = await shrink(graph, undefined, async (g) => has(g, 'Sqrt'))
  const [input] = smallest.inputs
  expect(smallest.inputs).toHaveLength(1)
  expect(textOf(smallest)).toContain('as the whole graph makes it')
  expect(input?.recorded?.every((sample) => sample.every((v) => v >= 0))).toBe(true)
})

it('gives a graph back of which nothing smaller fails', async () => {
  const graph = generate(3)
  const tried: number[] = []
  const smallest = await shrink(graph, undefined, async ({ nodes, outputs }) => {
    tried.push(nodes.length + outputs.length)
    return false
  })
  expect(smallest).toBe(graph)
  expect(tried.length).toBeGreaterThan(graph.nodes.length / 2)
})

it('takes what no output needs out of a graph', () => {
  const graph = generate(5)
  const [first] = graph.outputs as [string]
  const smaller = pruned({ ...graph, outputs: [first] })
  expect(smaller.nodes.length).toBeLessThanOrEqual(graph.nodes.length)
  expect(smaller.nodes.at(-1)?.outputs).toContain(first)
})
