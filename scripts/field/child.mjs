// Measures one model in a process of its own, and prints JSON. Usage: node child.mjs JSON, with { name, folders, quantizer }, the version of onnxruntime's quantizer.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as octavo from '../../dist/index.js'
import { onnxruntimeQuantizer } from '../accuracy/onnxruntime-quantizer.mjs'
import { load, PEER } from '../bench/engines.mjs'
import { peerFolder } from '../onnxruntime.mjs'
import { open, runAll } from './engine.mjs'
import { toJson } from './json.mjs'
import { perOutput, perSample, worst } from './metrics.mjs'
import { MODELS } from './models/index.mjs'
import { products } from './products.mjs'
import { keyOf, remembered } from './theirs.mjs'

const { name, folders, quantizer } = JSON.parse(process.argv[2])
const model = MODELS.find((m) => m.name === name)
const path = join(folders[model.pin], model.file)
const peer = peerFolder() && (await load(PEER, peerFolder()))
const PEER_OPTIONS = { logSeverityLevel: 4, intraOpNumThreads: 1, interOpNumThreads: 1 }
/** Arguments of its quantize_static that are not the defaults. */
const SETTINGS = { per_channel: true }
const say = (text) => process.stderr.write(`${text}\n`)

const result = await measured()
// onnxruntime's threads may outlive its sessions.
process.stdout.write(`${toJson(result)}\n`, () => process.exit(0))

async function measured() {
  say('inputs')
  const { calibration, test } = await samplesOf()
  say('float')
  const row = { bytes: statSync(path).size, samples: { calibration: calibration.length, test: test.length } }
  const float = await attempt(() => runAll(octavo, path, test))
  const reference = peer && (await attempt(() => runAll(peer, path, test, PEER_OPTIONS)))
  if (float.error) return { ...row, float: { error: float.error } }
  row.float = !reference
    ? {}
    : reference.error
      ? { peerError: reference.error }
      : worst(perOutput(reference.value, float.value))
  say('quantize')
  const made = await attempt(() => quantized(calibration))
  if (made.error) return { ...row, refused: made.error }
  const { model: bytes, report, ...cost } = made.value
  row.quantize = { ...cost, bytes: bytes.length, warnings: report.warnings }
  const nodes = await attempt(async () => (await octavo.explain(bytes, { feeds: tensors(test[0]) })).nodes)
  row.products = nodes.error ? { error: nodes.error } : products(bytes, nodes.value, report)
  say('int8')
  const int8 = await attempt(() => runAll(octavo, bytes, test))
  row.int8 = int8.error ? { error: int8.error } : quality(float.value, int8.value)
  if (peer && !int8.error) {
    const there = await attempt(() => runAll(peer, bytes, test, PEER_OPTIONS))
    row.peer = there.error ? { error: there.error } : worst(perOutput(there.value, int8.value))
    if (!there.error) row.peer.float = worst(perOutput(float.value, there.value))
  }
  if (quantizer && peer) {
    say("onnxruntime's quantizer")
    const key = keyOf(
      readFileSync(path),
      [...calibration, ...test],
      `${quantizer} ${JSON.stringify(SETTINGS)}`,
    )
    row.theirs = await remembered(name, key, async () => {
      const found = await attempt(() => byTheirs(calibration, test, reference.value ?? float.value))
      return found.error ? { error: found.error } : found.value
    })
  }
  return row
}

async function samplesOf() {
  const sessions = new Map()
  const run = async (file, feeds) => {
    if (!sessions.has(file)) sessions.set(file, await open(octavo, file))
    return sessions.get(file).run(feeds)
  }
  const context = { folders, path, run }
  const calibration = await model.samples(context, 'calibration')
  const test = await model.samples(context, 'test')
  for (const session of sessions.values()) await session.release()
  if (calibration.length === 0 || test.length === 0) throw new Error(`${name}: no samples`)
  return { calibration, test }
}

function tensors(feeds) {
  const made = Object.entries(feeds).map(([name, t]) => [name, new octavo.Tensor(t.type, t.data, t.dims)])
  return Object.fromEntries(made)
}

async function quantized(calibration) {
  const data = calibration.map(tensors)
  const before = forgetPeak()
  const started = performance.now()
  const result = await octavo.quantize(path, { data })
  const seconds = (performance.now() - started) / 1000
  const peak = memory('VmHWM')
  return { ...result, recipe: undefined, seconds, peakMb: peak && before && (peak - before) / 1e6 }
}

function quality(float, other) {
  const outputs = perOutput(float, other)
  return { outputs, ...worst(outputs), perSample: perSample(float, other) }
}

async function byTheirs(calibration, test, float) {
  const started = performance.now()
  const bytes = await onnxruntimeQuantizer().quantizeFeeds(path, calibration, SETTINGS)
  const seconds = (performance.now() - started) / 1000
  return { bytes: bytes.length, seconds, ...quality(float, await runAll(peer, bytes, test, PEER_OPTIONS)) }
}

/** { value }, or { error } in one line. */
async function attempt(work) {
  try {
    return { value: await work() }
  } catch (error) {
    const text = String(error.stderr ?? error.message).trim()
    const lines = text.split('\n').map((l) => l.trim())
    const line = error.stderr ? lines.at(-1) : lines.slice(0, 2).join(' ')
    return { error: error.code && typeof error.code === 'string' ? `${error.code}: ${line}` : line }
  }
}

/** Linux forgets the largest size so far where it is told to; the bytes that are resident then. */
function forgetPeak() {
  try {
    globalThis.gc?.()
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    return undefined
  }
  return memory('VmRSS')
}

function memory(key) {
  try {
    const text = readFileSync('/proc/self/status', 'utf8')
    return Number(new RegExp(`^${key}:\\s*(\\d+) kB$`, 'm').exec(text)[1]) * 1024
  } catch {
    return undefined
  }
}
