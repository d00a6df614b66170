// Runs the stages of continuous integration one after another and adds up what they report.
// A stage is a command; the last line `N passed, N failed, N skipped` that it prints counts.
import { spawn } from 'node:child_process'
import { stages } from './stages.mjs'

const COUNT = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/

const only = process.argv.slice(2)
const totals = { passed: 0, failed: 0, skipped: 0 }
const rows = []
for (const stage of stages) {
  if (only.length > 0 && !only.includes(stage.name)) continue
  const started = Date.now()
  console.log(`\n=== ${stage.name}: ${stage.what}`)
  const { code, counts, isas } = await execute(stage)
  if (code !== 0) counts.failed = Math.max(1, counts.failed)
  else if (counts.passed + counts.failed + counts.skipped === 0) counts.passed = 1
  for (const key of Object.keys(totals)) totals[key] += counts[key]
  rows.push({ ...stage, ...counts, isas, seconds: Math.round((Date.now() - started) / 1000) })
}

console.log('\nstage                 passed failed skipped seconds  instruction sets')
for (const r of rows) {
  const cells = [
    r.name.padEnd(20),
    ...[r.passed, r.failed, r.skipped, r.seconds].map((n) => String(n).padStart(7)),
  ]
  console.log(`${cells.join(' ')}  ${[...r.isas].join(' ')}`)
}
const required = rows.flatMap((r) =>
  (r.requires ?? []).filter((isa) => !r.isas.has(isa)).map((isa) => `${r.name}: ${isa}`),
)
for (const line of required) console.log(`an instruction set that should have run did not: ${line}`)
totals.failed += required.length
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed > 0 ? 1 : 0

/** Runs one stage; its output passes through, its counts and `isa: NAME` lines are collected. */
function execute(stage) {
  return new Promise((resolve) => {
    const [command, ...args] = stage.command
    const child = spawn(command, args, {
      env: { ...process.env, ...stage.env },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: stage.timeout ?? 20 * 60_000,
      killSignal: 'SIGKILL',
    })
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const isas = new Set()
    let rest = ''
    const line = (text) => {
      const match = COUNT.exec(text)
      if (match) {
        counts.passed = Number(match[1])
        counts.failed = Number(match[2])
        counts.skipped = Number(match[3] ?? 0)
      }
      const isa = /^isa: (\S+)$/.exec(text)
      if (isa) isas.add(isa[1])
    }
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk)
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(line)
    })
    child.on('error', (error) => {
      console.log(`cannot start ${command}: ${error.message}`)
      resolve({ code: 1, counts, isas })
    })
    child.on('close', (code, signal) => {
      if (rest !== '') line(rest)
      if (signal) console.log(`${stage.name} ended by ${signal}`)
      resolve({ code: code ?? 1, counts, isas })
    })
  })
}
