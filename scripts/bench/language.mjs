// Language models: a prompt, and tokens after it one by one, in Octavo and onnxruntime-node. Usage: npm run bench:lm
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { installPeer } from '../onnxruntime.mjs'
import { OCTAVO, PEER } from './engines.mjs'
import { describeMachine } from './machine.mjs'
import { decoder } from './models/language/decoder.mjs'
import { SMOLLM_135M } from './models/language/shapes.mjs'
import { seededWeights } from './models/language/weights.mjs'
import { inChild } from './processes.mjs'
import { quantile } from './statistics.mjs'
import { digits, terminal } from './table.mjs'

const { prompt, tokens, threads, rounds, form, block } = new Command('npm run bench:lm --')
  .description(
    'Times a seeded model of the shape of SmolLM-135M with 4-bit weights: tokens a second of the prompt and after it.',
  )
  .option('--prompt <n>', 'tokens of the prompt', Number, 128)
  .option('--tokens <n>', 'tokens after it', Number, 64)
  .option('--threads <list>', 'numbers of threads, as 1,2', (text) => text.split(',').map(Number), [1, 2])
  .option('--rounds <n>', 'processes of each engine, in turn; medians are shown', Number, 3)
  .option('--form <name>', 'form of the weights: q4, q8, fp32', 'q4')
  .option('--block <n>', 'weights of a scale', Number, 32)
  .parse()
  .opts()

const folder = fileURLToPath(new URL('../../build/bench', import.meta.url))
const path = join(folder, `smollm-135m-${form}-${block}.onnx`)
if (!existsSync(path)) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, decoder(SMOLLM_135M, seededWeights(1), { form, block }))
}
const bytes = statSync(path).size
const peer = installPeer()
const engines = [
  { name: OCTAVO, engine: OCTAVO, keepsPast: true },
  { name: 'octavo, past fed', engine: OCTAVO, keepsPast: false },
  ...(peer ? [{ name: PEER, engine: PEER, folder: peer, keepsPast: false }] : []),
]

const rows = []
for (const count of threads) {
  const results = engines.map(() => [])
  for (let round = 0; round < rounds; ++round) {
    for (const [i, { engine, folder, keepsPast }] of engines.entries()) {
      const job = { kind: 'language', engine, folder, path, threads: count, prompt, count: tokens, keepsPast }
      results[i].push(await inChild(job))
    }
  }
  const first = results[0][0].tokens.join()
  for (const [i, { name }] of engines.entries()) {
    const median = (of) => quantile(results[i].map(of), 0.5)
    rows.push([
      `${name}, ${count} thread${count > 1 ? 's' : ''}`,
      digits(median((r) => (prompt * 1000) / r.promptMs)),
      digits(median((r) => 1000 / quantile(r.tokenMs, 0.5))),
      digits(median((r) => r.createMs)),
      digits(median((r) => r.residentMb * 1e6) / bytes),
      digits(median((r) => r.peakMb * 1e6) / bytes),
      results[i].every((r) => r.tokens.join() === first) ? 'yes' : 'no',
    ])
  }
}
const machine = describeMachine('')
console.log(
  terminal({
    title: `SmolLM-135M, ${form}, blocks of ${block}: ${digits(bytes / 1e6)} MB; prompt of ${prompt}, ${tokens} tokens; ${machine.cpu}, ${machine.isa}`,
    head: [
      'engine',
      'prompt, tokens/s',
      'tokens/s',
      'create, ms',
      'resident / file',
      'peak / file',
      'same tokens',
    ],
    rows,
  }),
)
