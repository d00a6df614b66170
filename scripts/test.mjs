// `npm test`: the C++ tests where CMake built them, then the TypeScript tests; ends with the sum of both.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const totals = { passed: 0, failed: 0, skipped: 0 }
const root = new URL('..', import.meta.url).pathname

const native = join(root, 'build', 'native', 'octavo_tests')
if (existsSync(native)) {
  const { status, stdout } = spawnSync(native, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = stdout.trimEnd().split('\n')
  const counts = /(\d+) passed, (\d+) failed, (\d+) skipped/.exec(lines.at(-1) ?? '')
  console.log(
    lines
      .filter((l) => !/^\s*(ok|pass)\b/i.test(l))
      .slice(-60, -1)
      .join('\n'),
  )
  console.log(`C++: ${counts?.[0] ?? 'no result'}`)
  add(counts?.[1], counts?.[2], counts?.[3])
  if (status !== 0 && !(Number(counts?.[2]) > 0)) totals.failed += 1
} else {
  console.log('C++ tests skipped: they are built where CMake is installed (`apt-get install cmake`).')
  totals.skipped += 1
}

const report = join(tmpdir(), `octavo-test-${process.pid}.json`)
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const arguments_ = [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]
const { status } = spawnSync(process.execPath, [vitest, ...arguments_], { cwd: root, stdio: 'inherit' })
const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined
rmSync(report, { force: true })
add(
  results?.numPassedTests,
  results?.numFailedTests,
  (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0),
)
if (status !== 0 && !(results?.numFailedTests > 0)) totals.failed += 1

console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed > 0 ? 1 : 0

function add(passed, failed, skipped) {
  totals.passed += Number(passed ?? 0)
  totals.failed += Number(failed ?? 0)
  totals.skipped += Number(skipped ?? 0)
}
