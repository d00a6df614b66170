// The bench of models: makes the files, times them, and gathers everything that the tables and targets need.
import { loadavg } from 'node:os'
import { load, OCTAVO, PEER } from './engines.mjs'
import { timeInFlight } from './in-flight.mjs'
import { describeMachine, impliedBy, quietness, supportedIsas } from './machine.mjs'
import { MODELS, present } from './models/index.mjs'
import { buildNativeBench, Peak } from './peak.mjs'
import { convolutions, findPeer } from './peer.mjs'
import { Progress } from './progress.mjs'
import { timeIsa, timeScaling } from './scaling.mjs'
import { timeSessions } from './sessions.mjs'
import { timeSteps } from './steps.mjs'
import { allTables } from './tables.mjs'
import { evaluate, title } from './targets.mjs'
import { timeCase, variantsOf } from './times.mjs'
import { verifyCase } from './verify.mjs'

/** What the scalar kernels finish in a second or two. */
const QUICK = [
  ['mobilenetv2', ''],
  ['encoder', '16 tokens'],
  ['mlperf-ic', ''],
  ['mlperf-kws', ''],
  ['mlperf-ad', ''],
]
/** Slices of the peak after each case: on a busy machine the first may all be spoilt. */
const SLICES = 4
const LIMITS = { seconds: 6, rounds: 15 }
const STEP_LIMITS = { seconds: 1, rounds: 30 }
const QUICK_LIMITS = { seconds: 0.1, rounds: 2, most: 10 }

export async function benchModels(options) {
  const loadBefore = loadavg()[0]
  const { models, skipped } = chosen(options)
  const cases = models.flatMap((m) => Object.keys(m.cases).map((name) => ({ model: m, name })))
  const wanted = options.quick ? cases.filter(isQuick) : cases
  const progress = new Progress(wanted.length * options.threads.length + models.length * 2 + 6)
  try {
    const results = await gather(options, models, wanted, progress)
    results.machine.load = [loadBefore, loadavg()[0]]
    results.quiet = quietness(results.machine, results.peaks).text
    results.skipped = skipped
    if (!options.quick) results.targets = evaluate(results)
    return { results, tables: allTables(results) }
  } finally {
    progress.end()
    for (const name of skipped) progress.note(`${name} skipped: ../shared/models is not there`)
  }
}

async function gather(options, models, cases, progress) {
  const peer = await findPeer(options, progress)
  const modules = { [OCTAVO]: await load(OCTAVO), [PEER]: peer?.module }
  const machine = describeMachine(peer?.version)
  const hasNative = buildNativeBench()
  if (!hasNative) progress.note('octavo_bench is not there (CMake builds it): no part of the peak')
  const peak = new Peak(hasNative)
  const results = { machine, cases: [], conversions: [], steps: [], sessions: [], scaling: [], peaks: [] }
  const limits = options.quick ? QUICK_LIMITS : { ...LIMITS, seconds: options.seconds }

  const variants = new Map()
  for (const model of new Set(cases.map((c) => c.model))) {
    progress.step(`${model.name}: files`)
    variants.set(model, await variantsOf(model, peer))
    if (peer && !options.quick) results.conversions.push(...(await conversionsOf(model, variants, peer)))
  }
  for (const threads of options.threads)
    for (const { model, name } of cases) {
      progress.step(`${title(model.name, name)}: ${threads === 1 ? 'one thread' : `${threads} threads`}`)
      const isStreamed = name === '1 token'
      const between = (work) => peak.slice(isStreamed ? work.weights : undefined)
      const found = await timeCase(model, name, variants.get(model), { threads, modules, limits, between })
      for (let i = 0; i < SLICES; ++i) await between(found)
      results.cases.push(isStreamed ? { ...found, stream: peak.stream(found.weights) } : found)
    }
  if (options.quick) results.verified = await verify(cases, peer, progress)
  else await gatherRest(results, { options, models, cases, peer, modules, limits, hasNative, progress })

  results.peaks = peak.report()
  const isas = impliedBy(machine.isa)
  for (const step of results.steps) step.peak = peak.of(isas, false)
  for (const found of results.cases)
    for (const r of found.results) {
      const one = peak.of(isas, r.kind === 'float')
      if (one) r.peak = one * found.threads
    }
  return results
}

async function gatherRest(results, { options, models, cases, peer, modules, limits, hasNative, progress }) {
  progress.step('steps')
  for (const { model, name } of cases)
    results.steps.push(...(await timeSteps(model, name, modules, STEP_LIMITS)))
  for (const model of models) {
    progress.step(`${model.name}: sessions`)
    results.sessions.push(...(await timeSessions(model, peer, { processes: 5 })))
  }
  progress.step('two threads')
  const tiny = models.filter((m) => m.tiny).map((m) => m.name)
  for (const model of results.machine.cores > 1 ? models : [])
    if (['resnet50', 'mobilenetv2', ...tiny].includes(model.name))
      results.scaling.push(await timeScaling(model, modules, limits))
  progress.step('runs in flight')
  const mobile = models.find((m) => m.name === 'mobilenetv2')
  if (mobile) results.inFlight = await timeInFlight(mobile, { seconds: limits.seconds / 2, processes: 5 })
  progress.step('AVX2 alone')
  const resnet50 = models.find((m) => m.name === 'resnet50')
  if (resnet50 && !options.isa && (await supportedIsas()).includes('x86_avx2'))
    results.isa = await timeIsa('x86_avx2', resnet50, limits, hasNative)
}

async function conversionsOf(model, variants, peer) {
  const files = variants.get(model).filter((v) => v.engine === PEER && v.kind !== 'float')
  const found = []
  for (const { kind, by, path } of files)
    found.push({ model: model.name, kind, by, ...(await convolutions(peer, path)) })
  return found
}

async function verify(cases, peer, progress) {
  progress.step('results')
  const found = []
  for (const { model, name } of cases) found.push(...(await verifyCase(model, name, peer)))
  return found
}

function chosen({ models: pattern }) {
  const matching = MODELS.filter((m) => pattern.test(m.name))
  if (matching.length === 0) throw new Error(`no model matches ${pattern}`)
  return {
    models: matching.filter(present),
    skipped: matching.filter((m) => !present(m)).map((m) => m.name),
  }
}

function isQuick({ model, name }) {
  return QUICK.some(([m, n]) => m === model.name && n === name)
}
