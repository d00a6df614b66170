// npm run bench -- --blocks: products by weights of 4, 2 and 8 bits with a scale for each block of k, beside onnxruntime's
// MatMulNBits (accuracy level 4: activations become int8 block by block; 0: they stay float). "warm" runs one matrix
// again and again, "cold" one node after the other over 300 MB of them; times are of one product.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load, OCTAVO, PEER } from './engines.mjs'
import { describeMachine } from './machine.mjs'
import { interleave } from './measure.mjs'
import { Builder, uniform } from './models/builder.mjs'
import { findPeer } from './peer.mjs'
import { Progress } from './progress.mjs'
import { spread } from './statistics.mjs'
import { digits, percent } from './table.mjs'

const COLD_BYTES = 300e6
const GEMV = { rows: 1, k: 2048, n: 2048, bits: 4, group: 32, level: 4 }
const WIDE = { ...GEMV, k: 4096, n: 11008 }
const CASES = [
  GEMV,
  { ...GEMV, cold: true },
  { ...GEMV, zeros: true },
  WIDE,
  { ...WIDE, cold: true },
  { ...GEMV, rows: 128 },
  { ...GEMV, bits: 2, group: 64 },
  { ...GEMV, bits: 2, group: 64, cold: true },
  { ...GEMV, bits: 8 },
  { ...GEMV, bits: 8, cold: true },
  { ...GEMV, level: 0 },
  { ...GEMV, rows: 128, level: 0 },
]

export async function benchBlocks({ seconds, threads, quick }) {
  const progress = new Progress(CASES.length * threads.length)
  const folder = mkdtempSync(join(tmpdir(), 'octavo-blocks-'))
  const runs = []
  try {
    const peer = await findPeer({ quick: true }, progress)
    const modules = { [OCTAVO]: await load(OCTAVO) }
    if (peer) modules[PEER] = peer.module
    for (const count of threads)
      for (const c of quick ? CASES.slice(0, 1) : CASES) {
        progress.step(titleOf(c))
        const path = join(folder, 'model.onnx')
        const products = writeCase(c, path)
        runs.push(await timeCase(c, path, products, modules, count, quick ? 0.1 : seconds / 3))
      }
    const machine = describeMachine()
    return { results: { machine, runs }, tables: [tableOf(runs)] }
  } finally {
    progress.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

const titleOf = ({ rows, k, n, bits, group, zeros, level, cold }) =>
  `int${bits} g${group}${zeros ? ' asymmetric' : ''}, ${rows}x${k} by ${k}x${n}, ${level === 4 ? 'int8' : 'float'} activations${rows > 1 ? '' : cold ? ', cold' : ', warm'}`

/** Writes as many products of one input as fill the memory, added up; how many. */
function writeCase({ rows, k, n, bits, group, zeros, level, cold }, path) {
  const blocks = k / group
  const bytes = (n * k * bits) / 8
  const count = cold ? Math.ceil(COLD_BYTES / bytes) : 1
  const b = new Builder(bits)
  const x = b.input('x', 'float32', [rows, k])
  const random = uniform(k + n)
  const constant = (dtype, dims, array) =>
    b.tensor({ dtype, dims, data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) })
  const products = []
  for (let i = 0; i < count; ++i) {
    const levels = new Uint8Array(bytes)
    const words = new Uint32Array(levels.buffer)
    for (let w = 0; w < words.length; ++w) words[w] = random() * 2 ** 32
    // Float16 numbers, as files of language models have them.
    const scales = Float32Array.from(
      { length: n * blocks },
      () => Math.round(random() * 1024 + 1024) / 2 ** 18,
    )
    const inputs = [
      x,
      constant('uint8', [n, blocks, (group * bits) / 8], levels),
      constant('float32', [n, blocks], scales),
    ]
    if (zeros) {
      const row = Math.ceil((blocks * bits) / 8)
      inputs.push(
        constant(
          'uint8',
          [n, row],
          Uint8Array.from({ length: n * row }, () => random() * 256),
        ),
      )
    }
    const attributes = { K: k, N: n, bits, block_size: group, accuracy_level: level }
    products.push(b.node('MatMulNBits', inputs, attributes, { domain: 'com.microsoft' }))
  }
  const sum = count === 1 ? products[0] : b.node('Sum', products)
  b.output(sum, { dtype: 'float32', shape: [rows, n] })
  writeFileSync(path, b.model('blocks'))
  return count
}

async function timeCase(c, path, products, modules, threads, seconds) {
  const random = uniform(3)
  const data = Float32Array.from({ length: c.rows * c.k }, () => random() * 2 - 1)
  const entries = []
  try {
    for (const [engine, module] of Object.entries(modules)) {
      const session = await module.InferenceSession.create(path, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      })
      const feeds = { x: new module.Tensor('float32', data, [c.rows, c.k]) }
      const isSync = engine === OCTAVO
      const run = isSync ? () => session.runSync(feeds) : () => session.run(feeds)
      entries.push({ engine, run, isSync, release: () => session.release() })
    }
    const times = await interleave(entries, { seconds, rounds: 9, pauses: threads > 1 })
    const results = entries.map(({ engine }, i) => ({ engine, ms: times[i] }))
    return { ...c, title: titleOf(c), threads, products, results }
  } finally {
    for (const { release } of entries) await release()
  }
}

function tableOf(runs) {
  const rows = runs.map((r) => {
    const [own, other] = r.results.map(({ ms }) => (ms.median * 1000) / r.products)
    return [
      r.title,
      `${r.threads}`,
      digits(own),
      digits(other),
      other === undefined ? '' : (own / other).toFixed(2),
      digits((r.rows * r.k * r.n) / own / 1000),
      percent(Math.max(...r.results.map(({ ms }) => spread(ms)))),
    ]
  })
  const head = ['product', 'threads', 'us', 'us onnxruntime', 'ratio', 'GMAC/s', 'spread']
  return { title: 'Block weights', head, rows, notes: ['A run of the session, its call included.'] }
}
