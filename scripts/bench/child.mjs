// Runs in a process of its own, once per measurement, and prints JSON. Only what every Node has is loaded at first: memory is
// counted from there. Usage: node child.mjs JSON
//   { kind: 'session', engine, folder, path, dims }     import, first create, first run, memory, later creates
//   { kind: 'outputs', engine, folder, paths, dims }     bytes of the first output of each model, in base64
//   { kind: 'inFlight', path, dims, sessions, inFlight, seconds }     so many runs at once: their rate, times, memory
//   { kind: 'language', engine, folder, path, threads, prompt, count, keepsPast }     a prompt and tokens: times, memory
//   { kind: 'times', entries: [{ path, mode }], dims, seconds, threads }     interleaved times of Octavo's runs
import { readFileSync } from 'node:fs'

const before = memory()
const job = JSON.parse(process.argv[2])
const result = await { session, outputs, inFlight, times, language }[job.kind](job)
// onnxruntime's threads may outlive its sessions.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))

async function session({ engine, folder, path, dims }) {
  const imported = await timed(async () => (await import('./engines.mjs')).load(engine, folder))
  const { InferenceSession, Tensor } = imported.value
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 }
  const created = await timed(() => InferenceSession.create(path, options))
  const feed = new Tensor('float32', new Float32Array(dims.reduce((p, d) => p * d, 1)).fill(0.5), dims)
  const feeds = { [created.value.inputNames[0]]: feed }
  const first = await timed(() => created.value.run(feeds))
  await created.value.run(feeds)
  const after = memory()
  await created.value.release()
  const later = []
  for (let i = 0; i < 3; ++i) {
    const again = await timed(() => InferenceSession.create(path, options))
    later.push(again.ms)
    await again.value.release()
  }
  return {
    importMs: imported.ms,
    createMs: created.ms,
    firstRunMs: first.ms,
    laterCreateMs: later.sort((a, b) => a - b)[1],
    residentMb: after && (after.resident - before.resident) / 1e6,
    peakMb: after && (after.peak - before.peak) / 1e6,
  }
}

async function outputs({ engine, folder, paths, dims }) {
  const { load, open } = await import('./engines.mjs')
  const { inputData } = await import('./store.mjs')
  const module = await load(engine, folder)
  const found = []
  for (const path of paths) {
    const opened = await open(module, { path, dims, data: inputData(dims) })
    const [{ data }] = await opened.outputs()
    found.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'))
  }
  return found
}

async function inFlight({ path, dims, sessions: count, inFlight: most, seconds }) {
  const { load } = await import('./engines.mjs')
  const { quantile } = await import('./statistics.mjs')
  const { InferenceSession, Tensor } = await load('octavo')
  const sessions = []
  for (let i = 0; i < count; ++i) sessions.push(await InferenceSession.create(path))
  const feed = new Tensor('float32', new Float32Array(dims.reduce((p, d) => p * d, 1)).fill(0.5), dims)
  const feeds = { [sessions[0].inputNames[0]]: feed }
  const during = async (seconds) => {
    const end = performance.now() + seconds * 1000
    const times = []
    const one = async (i) => {
      while (performance.now() < end) times.push((await timed(() => sessions[i % count].run(feeds))).ms)
    }
    const { ms } = await timed(() => Promise.all(Array.from({ length: most }, (_, i) => one(i))))
    return { times, ms }
  }
  await during(seconds / 4)
  const { times, ms } = await during(seconds)
  const after = memory()
  return {
    rate: (times.length / ms) * 1000,
    medianMs: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    residentMb: after && (after.resident - before.resident) / 1e6,
  }
}

async function times({ entries, dims, seconds, threads }) {
  const { load, open } = await import('./engines.mjs')
  const { interleave } = await import('./measure.mjs')
  const module = await load('octavo')
  const data = new Float32Array(dims.reduce((p, d) => p * d, 1)).fill(0.5)
  const opened = []
  for (const { path, mode } of entries) opened.push(await open(module, { path, dims, data, threads, mode }))
  const results = await interleave(opened, { seconds })
  return { isa: module.env.isa, results }
}

async function language({ engine, folder, ...job }) {
  const module = await (await import('./engines.mjs')).load(engine, folder)
  const { generateIn } = await import('./language/run.mjs')
  const { used, ...ran } = await generateIn(module, job, memory)
  if (!used) return ran
  return {
    ...ran,
    residentMb: (used.resident - before.resident) / 1e6,
    peakMb: (used.peak - before.peak) / 1e6,
  }
}

async function timed(work) {
  const started = performance.now()
  const value = await work()
  return { value, ms: performance.now() - started }
}

/** Bytes: resident now, and at most so far. Linux says so; undefined elsewhere. */
function memory() {
  let status
  try {
    status = readFileSync('/proc/self/status', 'utf8')
  } catch {
    return undefined
  }
  const bytes = (key) => Number(new RegExp(`^${key}:\\s*(\\d+) kB$`, 'm').exec(status)[1]) * 1024
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') }
}
