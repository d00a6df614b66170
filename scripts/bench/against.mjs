// npm run bench -- --against FOLDER: this build beside another one, in one process where models run, in processes that
// take turns where sessions are made. Ratios are this build's medians over the other's: below 1 is faster, or smaller.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BASE, load, OCTAVO, open } from './engines.mjs'
import { describeMachine } from './machine.mjs'
import { interleave } from './measure.mjs'
import { MODELS, present } from './models/index.mjs'
import { inChild } from './processes.mjs'
import { Progress } from './progress.mjs'
import { median, spread } from './statistics.mjs'
import { ACTIVATIONS, floatFile, inputData, octavoFile } from './store.mjs'
import { digits, percent } from './table.mjs'
import { title } from './targets.mjs'

const KINDS = ['float', ...ACTIVATIONS]
/** Processes for each build that make a session of a model. */
const PROCESSES = 9

export async function benchAgainst({ against, models: pattern, threads, seconds }) {
  if (!existsSync(join(against, 'dist', 'index.js')))
    throw new Error(`--against: expected a built clone of Octavo, ${against} has no dist/index.js`)
  const models = MODELS.filter((m) => pattern.test(m.name) && present(m))
  if (models.length === 0) throw new Error(`no model matches ${pattern}`)
  const modules = { [OCTAVO]: await load(OCTAVO), [BASE]: await load(BASE, against) }
  const progress = new Progress(models.length * (threads.length + 1))
  const results = { machine: describeMachine(), against, runs: [], sessions: [] }
  try {
    for (const model of models) {
      for (const count of threads) {
        progress.step(`${model.name}: ${count === 1 ? 'one thread' : `${count} threads`}`)
        for (const name of Object.keys(model.cases))
          results.runs.push(...(await timeRuns(model, name, modules, count, seconds)))
      }
      progress.step(`${model.name}: sessions`)
      for (const kind of ['float', 'uint8']) results.sessions.push(await timeSessions(model, kind, against))
    }
  } finally {
    progress.end()
  }
  return { results, tables: [runsTable(results), sessionsTable(results)] }
}

const fileOf = (model, kind) => (kind === 'float' ? floatFile(model) : octavoFile(model, kind))

async function timeRuns(model, name, modules, threads, seconds) {
  const dims = model.cases[name]
  const found = []
  for (const kind of KINDS) {
    const path = await fileOf(model, kind)
    const options = { path, dims, data: inputData(dims), threads, mode: 'runSync' }
    const opened = []
    try {
      for (const engine of [OCTAVO, BASE]) opened.push(await open(modules[engine], options))
      const [own, base] = await interleave(opened, { seconds, rounds: 15, pauses: threads > 1 })
      found.push({ model: model.name, case: name, kind, threads, own, base, ratio: own.median / base.median })
    } finally {
      for (const { release } of opened) await release()
    }
  }
  return found
}

async function timeSessions(model, kind, against) {
  const [dims] = Object.values(model.cases)
  const path = await fileOf(model, kind)
  const samples = { [OCTAVO]: [], [BASE]: [] }
  for (let i = 0; i < PROCESSES; ++i)
    for (const engine of i % 2 === 0 ? [OCTAVO, BASE] : [BASE, OCTAVO])
      samples[engine].push(await inChild({ kind: 'session', engine, folder: against, path, dims }))
  const keys = ['importMs', 'createMs', 'laterCreateMs', 'residentMb', 'peakMb']
  const figures = keys.map((key) => {
    const middle = (engine) => median(samples[engine].map((s) => s[key] ?? Number.NaN))
    return [key, { own: middle(OCTAVO), base: middle(BASE) }]
  })
  return { model: model.name, kind, processes: PROCESSES, ...Object.fromEntries(figures) }
}

function runsTable({ runs }) {
  const rows = runs.map((r) => [
    title(r.model, r.case),
    r.kind,
    `${r.threads}`,
    digits(r.own.median),
    digits(r.base.median),
    r.ratio.toFixed(3),
    percent(Math.max(spread(r.own), spread(r.base))),
  ])
  const head = ['model', 'kind', 'threads', 'ms', 'ms before', 'ratio', 'spread']
  return { title: 'Runs beside the build before', head, rows, notes: [`Median ratio ${medianRatio(runs)}.`] }
}

const medianRatio = (runs) => median(runs.map((r) => r.ratio)).toFixed(3)

function sessionsTable({ sessions }) {
  const cell = ({ own, base }) => `${digits(own)} (${(own / base).toFixed(2)})`
  const rows = sessions.map((s) => [
    s.model,
    s.kind,
    ...['importMs', 'createMs', 'laterCreateMs', 'residentMb', 'peakMb'].map((key) => cell(s[key])),
  ])
  const head = ['model', 'kind', 'import ms', 'create ms', 'later create ms', 'resident MB', 'peak MB']
  const notes = [
    `In brackets: over the build before. Medians of ${sessions[0]?.processes ?? 0} processes each, in turn.`,
  ]
  return { title: 'Sessions beside the build before', head, rows, notes }
}
