/** What the generator promises: the same graph for a seed, graphs that run, all operators that can become integer. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { OpDef } from '../../lib/ops/core/opdef.js'
import { Random } from '../helpers/random.js'
import { outputsOf } from '../quantize/cases/trial.js'
import { generate } from './generate.js'
import { bytesOf, samplesOf, textOf } from './random-graph.js'

const seeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Operators of the standard that have a quantize rule, and are of an opset that files are written in. */
async function quantizable(): Promise<string[]> {
  const folder = fileURLToPath(new URL('../../lib/ops/', import.meta.url))
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'))
  const found: OpDef[] = []
  for (const file of files) {
    const { ops } = (await import(`${folder}${file}`)) as { ops?: readonly OpDef[] }
    found.push(...(ops ?? []))
  }
  const later = ['Swish']
  return found.flatMap((op) =>
    op.domain === '' && op.quantize && !later.includes(op.opType) ? [op.opType] : [],
  )
}

it('gives the same graph for the same seed, and others for others', () => {
  const texts = seeds(50).map((seed) => textOf(generate(seed)))
  expect(seeds(50).map((seed) => textOf(generate(seed)))).toEqual(texts)
  expect(new Set(texts).size).toBe(50)
})

it('has 3 to 40 nodes, a product among them, and weights over eight decades', () => {
  const graphs = seeds(1000).map(generate)
  const products = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul']
  for (const { nodes } of graphs) {
    expect(nodes.length).toBeGreaterThanOrEqual(3)
    expect(nodes.length).toBeLessThanOrEqual(40)
    expect(nodes.some((n) => products.includes(n.op))).toBe(true)
  }
  const sizes = graphs.flatMap((g) => g.inputs.map((x) => x.size))
  expect(Math.min(...sizes)).toBeLessThan(1e-3)
  expect(Math.max(...sizes)).toBeGreaterThan(1e3)
})

it('uses every operator that the quantizer has a rule for', async () => {
  const used = new Set(seeds(2000).flatMap((seed) => generate(seed).nodes.map((n) => n.op)))
  expect((await quantizable()).filter((op) => !used.has(op))).toEqual([])
})

it('makes models that run and give the sizes that it says', async () => {
  for (const seed of seeds(60)) {
    const graph = generate(seed)
    const outputs = await outputsOf(bytesOf(graph), samplesOf(graph, 1, new Random(seed)))
    for (const name of graph.outputs) {
      const elements = (graph.dims.get(name) ?? []).reduce((n, d) => n * d, 1)
      expect(outputs.get(name)?.[0]?.length, `${seed}: ${name}`).toBe(elements)
    }
  }
})
