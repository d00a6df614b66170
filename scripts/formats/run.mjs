// One model in every format: quantized here, measured in a process of its own.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { serialize } from 'node:v8'
import { createRunner } from '../../dist/compile/run/create.js'
import { InferenceSession, quantize } from '../../dist/index.js'
import { readModel } from '../../dist/onnx/read.js'

const child = fileURLToPath(new URL('./child.mjs', import.meta.url))

export async function* measureFormats(model, { model: source, calibration, timed, feed, judge }, formats) {
  const float = typeof source === 'string' ? readFileSync(source) : source
  const session = await InferenceSession.create(float)
  const [input] = session.inputNames
  await session.release()
  const feeds = feed ? (sample) => feed(sample, input) : (sample) => sample
  let kept
  for (const { name, samples, options } of formats) {
    const row = { model, format: name }
    const data = samples ? calibration.map(feeds) : undefined
    const made = options ? await quantized(float, { ...options, data }) : { bytes: float }
    if (made.why !== undefined) {
      yield { ...row, why: made.why }
      continue
    }
    const { bytes } = made
    const judged = await judgedBy(judge, bytes, feed ? feeds : undefined, kept)
    if (!options) kept = judged.kept
    const { resident, ms } = measured(bytes, feeds(timed))
    yield {
      ...row,
      bytes: bytes.length,
      share: bytes.length / float.length,
      held: await heldBytes(bytes),
      resident,
      ms,
      lost: judged.text,
    }
  }
}

async function quantized(float, options) {
  try {
    return { bytes: (await quantize(float, options)).model }
  } catch (error) {
    if (error.code !== 'ERR_NOTHING_QUANTIZED') throw error
    return { why: 'nothing to quantize' }
  }
}

async function judgedBy(judge, bytes, feeds, kept) {
  const session = await InferenceSession.create(bytes)
  try {
    const run = (feed) => session.run(feed)
    const runOne = async (sample) => (await session.run(feeds(sample)))[session.outputNames[0]]
    return await judge({ run, runOne }, kept)
  } finally {
    await session.release()
  }
}

/** Bytes of constants that a session has in memory, packed weights with their scales among them; 0: it has none before it is fed. */
async function heldBytes(bytes) {
  const { graph } = await readModel(bytes)
  const runner = await createRunner(graph, { selection: 'all', fuse: true })
  const { constants } = runner.memory()
  runner.release()
  return constants
}

/** Resident bytes that the session adds after a run, and the time of the fastest run on one thread. */
function measured(bytes, feeds) {
  const folder = mkdtempSync(join(tmpdir(), 'octavo-formats-'))
  try {
    const [model, input] = [join(folder, 'model.onnx'), join(folder, 'feeds.bin')]
    writeFileSync(model, bytes)
    const plain = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, { type, data, dims }])
    writeFileSync(input, serialize(Object.fromEntries(plain)))
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', child, model, input], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(stderr)
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
