/**
 * Random graphs, quantized with defaults: every output is right or a warning names a node whose exclusion helps.
 * OCTAVO_PROPERTY_GRAPHS and OCTAVO_PROPERTY_SEED choose how many graphs, from which seed (`scripts/property.mjs`).
 */
import { expect, it } from 'vitest'
import { generate } from './generate.js'
import { judge, type Verdict } from './judge.js'
import { textOf } from './random-graph.js'
import { shrink } from './shrink.js'

const count = Number(process.env.OCTAVO_PROPERTY_GRAPHS ?? 200)
const first = Number(process.env.OCTAVO_PROPERTY_SEED ?? 1)
const manual = process.env.OCTAVO_PROPERTY_GRAPHS !== undefined

it(`${count} random graphs are right, or a warning names a node that makes them better`, async () => {
  const counts = { right: 0, warned: 0, unseen: 0, refused: 0, skipped: 0, wrong: 0 }
  const failures: string[] = []
  for (let seed = first; seed < first + count; ++seed) {
    const graph = generate(seed)
    const verdict = await judge(graph)
    ++counts[verdict.kind]
    if (verdict.kind === 'wrong') {
      const text = await described(seed, verdict)
      if (manual) console.error(text)
      failures.push(text)
      if (!manual) break
    }
    if (manual && (seed - first) % 50 === 49)
      console.error(`${seed - first + 1} of ${count}: ${JSON.stringify(counts)}`)
  }
  console.error(`random graphs: ${JSON.stringify(counts)}`)
  expect(failures.join('\n\n')).toBe('')
  expect(counts.right).toBeGreaterThan(0.85 * count)
}, 7_200_000)

/** The smallest graph that fails in the same way, as text, with the seed of the one that was found. */
async function described(seed: number, verdict: Verdict): Promise<string> {
  const graph = generate(seed)
  let last = verdict
  const smallest = await shrink(graph, verdict.output, async (smaller) => {
    const found = await judge(smaller)
    if (found.kind === 'wrong') last = found
    return found.kind === 'wrong'
  })
  return `seed ${seed}: ${last.text}\n${textOf(smallest)}`
}
