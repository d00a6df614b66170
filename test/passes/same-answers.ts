/** Runs a graph as it is and after passes: their answers are the same within the rounding of floats. */
import { expect } from 'vitest'
import { compileGraph } from '../../lib/compile/run/engine.js'
import { evaluateConstants } from '../../lib/compile/run/evaluate.js'
import type { Graph } from '../../lib/graph/graph.js'
import { tensorFromNumbers, typedArrayOf } from '../../lib/graph/tensor.js'
import type { Pass } from '../../lib/passes/pass.js'
import { parseGraph } from '../helpers/graph-text.js'

/** Floats that look random and are the same every time, from -1 to 1. */
export function noise(count: number, seed = 1): number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** The graph after the pass; floats of its inputs, of `scale` times noise, give the answers that they gave before. */
export async function expectSameAnswers(
  pass: Pass,
  text: string,
  { within = 1e-5, scale = 1, shift = 0 }: { within?: number; scale?: number; shift?: number } = {},
): Promise<Graph> {
  const before = parseGraph(text)
  const after = await pass(before, { evaluate: evaluateConstants })
  const [expected, got] = [await run(before, scale, shift), await run(after, scale, shift)]
  expect(got.map(({ dims }) => dims)).toEqual(expected.map(({ dims }) => dims))
  expected.forEach(({ values }, i) => {
    const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
    const worst = values.reduce(
      (most, v, k) => Math.max(most, Math.abs(v - (got[i]?.values[k] as number))),
      0,
    )
    expect(worst / (largest || 1)).toBeLessThanOrEqual(within)
  })
  return after
}

async function run(
  graph: Graph,
  scale: number,
  shift: number,
): Promise<{ dims: number[]; values: Float32Array }[]> {
  const engine = await compileGraph(graph)
  try {
    const feeds = Object.fromEntries(
      graph.inputs.map((name, i) => {
        const dims = (graph.types.get(name)?.shape ?? []).map((d) => (typeof d === 'number' ? d : 2))
        const values = noise(
          dims.reduce((p, d) => p * d, 1),
          i + 1,
        ).map((v) => v * scale + shift)
        const { dtype } = graph.types.get(name) ?? { dtype: 'float32' as const }
        return [name, tensorFromNumbers(dtype, dims, dtype === 'float32' ? values : values.map(Math.abs))]
      }),
    )
    const results = await engine.run(feeds)
    return graph.outputs.map((name) => {
      const { dims, data } = results[name] as { dims: number[]; data: ArrayBuffer }
      return { dims, values: typedArrayOf('float32', new Uint8Array(data)) as Float32Array }
    })
  } finally {
    engine.release()
  }
}
