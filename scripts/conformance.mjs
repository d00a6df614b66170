// Runs the operator tests of ONNX (../shared/onnx-node-tests) and prints pass over total.
//
//   node scripts/conformance.mjs [--update] [--filter REGEX] [--jobs N]
//
// test/conformance/expected.json lists what does not pass, by reason. The check fails when a test outside of the list fails, when a
// listed one passes, and when any crashes or hangs. --update writes the list anew; new failures then need a reason by hand.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const data = join(root, '..', 'shared', 'onnx-node-tests')
const listFile = join(root, 'test', 'conformance', 'expected.json')
const categories = 'node,contrib,light,simple,pytorch-converted,pytorch-operator'
const UNSORTED = 'no reason given yet'

const { values: options } = parseArgs({
  options: {
    update: { type: 'boolean', default: false },
    filter: { type: 'string', default: '.' },
    jobs: { type: 'string', default: String(Math.min(availableParallelism(), 4)) },
    engine: { type: 'string', default: join(root, 'dist', 'index.js') },
  },
})

if (!existsSync(join(data, 'run.mjs'))) {
  console.log('conformance: skipped, there is no ../shared/onnx-node-tests beside the project')
  console.log('0 passed, 0 failed, 1 skipped')
  process.exit(0)
}

const rows = runTests()
const expected = JSON.parse(readFileSync(listFile, 'utf8'))
if (options.update) update(rows, expected)
else process.exitCode = check(rows, expected)

function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'octavo-conformance-'))
  try {
    const json = join(folder, 'results.json')
    const { status } = spawnSync(
      process.execPath,
      [
        join(data, 'run.mjs'),
        ...['--data', data, '--category', categories, '--engine', options.engine],
        ...['--filter', options.filter, '--jobs', options.jobs, '--json', json],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    if (!existsSync(json)) throw new Error(`the runner of the tests ended with ${status} and no results`)
    return JSON.parse(readFileSync(json, 'utf8')).rows.map((row) => ({
      ...row,
      id: `${row.cat}/${row.name}`,
    }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function check(rows, expected) {
  const reasons = new Map(Object.entries(expected).flatMap(([reason, ids]) => ids.map((id) => [id, reason])))
  const failed = rows.filter((r) => r.status !== 'pass')
  printTotals(rows, reasons)
  const problems = [
    ...rows
      .filter((r) => r.status === 'crash' || r.status === 'timeout')
      .map((r) => `${r.status}: ${r.id} ${r.msg ?? ''}`),
    ...failed
      .filter((r) => !reasons.has(r.id))
      .map((r) => `fails and is not listed: ${r.id} (${r.status}: ${r.msg ?? ''})`),
    ...rows
      .filter((r) => r.status === 'pass' && reasons.has(r.id))
      .map((r) => `passes and is listed: ${r.id}`),
  ]
  if (options.filter === '.') {
    const known = new Set(rows.map((r) => r.id))
    problems.push(
      ...[...reasons.keys()].filter((id) => !known.has(id)).map((id) => `listed and unknown: ${id}`),
    )
  }
  for (const problem of problems) console.error(problem)
  console.log(`${rows.length - failed.length} passed, ${problems.length} failed, ${failed.length} skipped`)
  return problems.length === 0 ? 0 : 1
}

function printTotals(rows, reasons) {
  const passed = (list) => `${list.filter((r) => r.status === 'pass').length} of ${list.length}`
  for (const category of categories.split(',')) {
    const own = rows.filter((r) => r.cat === category)
    if (own.length > 0) console.log(`${category.padEnd(20)} ${passed(own)}`)
  }
  const direct = rows.filter((r) => r.cat === 'node' && !r.name.includes('_expanded'))
  console.log(`${'node, not expanded'.padEnd(20)} ${passed(direct)}`)
  console.log(`${'all'.padEnd(20)} ${passed(rows)}`)
  const counts = new Map()
  for (const { id, status } of rows) {
    if (status !== 'pass' && reasons.has(id))
      counts.set(reasons.get(id), (counts.get(reasons.get(id)) ?? 0) + 1)
  }
  if (counts.size > 0) console.log('\nNot passing, by reason:')
  for (const [reason, n] of [...counts].sort((a, b) => b[1] - a[1]))
    console.log(`${String(n).padStart(5)}  ${reason}`)
}

/** Keeps the reasons of what still fails; what fails anew gets one from its message where that says enough. */
function update(rows, expected) {
  const reasons = new Map(Object.entries(expected).flatMap(([reason, ids]) => ids.map((id) => [id, reason])))
  const lists = new Map()
  for (const row of rows.filter((r) => r.status !== 'pass')) {
    const kept = reasons.get(row.id)
    const reason = kept === undefined || kept === UNSORTED ? reasonOf(row) : kept
    lists.set(reason, [...(lists.get(reason) ?? []), row.id])
  }
  const sorted = [...lists].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, ids]) => [reason, ids.sort()])
  writeFileSync(listFile, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
  console.log(`${rows.filter((r) => r.status === 'pass').length} of ${rows.length} pass; wrote ${listFile}`)
}

function reasonOf({ msg = '', status, note = '' }) {
  const missing = [...msg.matchAll(/ ([\w.]+) \(node "/g)].map((m) => m[1])
  if (/does not have:/.test(msg) && missing.length > 0)
    return `not implemented: ${[...new Set(missing)].sort().join(', ')}`
  const text = `${msg} ${note}`
  if (/FLOAT8|FLOAT4|U?INT2\b|type that Octavo has/.test(text))
    return 'type not supported: float8, float4, 2-bit integers'
  if (/bfloat16/i.test(text)) return 'type not supported at inputs and outputs: bfloat16'
  if (/4-bit/.test(text)) return 'type not supported but in constants: int4, uint4'
  if (/text|string/i.test(text)) return 'type not supported: text'
  if (/sequence|optional/i.test(text)) return 'sequences and optional values are not supported'
  if (/Expected opset/.test(text)) return 'opset not released yet'
  return status === 'crash' || status === 'timeout' ? status : UNSORTED
}
