// What the stages share: running programs, counting, and saying which instruction set ran.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root = new URL('../..', import.meta.url).pathname.replace(/\/$/, '')
export const counts = { passed: 0, failed: 0, skipped: 0 }

export function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Runs a program; its output is returned, and shown when it fails. */
export function run(command, args, { env = {}, cwd = root, quiet = true, timeout = 20 * 60_000 } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ok = result.status === 0
  if (!ok || !quiet) process.stdout.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
  if (!ok)
    console.log(
      `${command} ${args.join(' ')}: ${result.signal ?? `exit code ${result.status}`} ${result.error ?? ''}`,
    )
  return { ok, stdout: result.stdout ?? '', stderr: result.stderr ?? '' }
}

export function pass(what) {
  counts.passed += 1
  console.log(`ok ${what}`)
}

export function fail(what) {
  counts.failed += 1
  console.log(`FAILED ${what}`)
}

export function skip(what, why) {
  counts.skipped += 1
  console.log(`skipped ${what}: ${why}`)
}

export function check(condition, what) {
  if (condition) pass(what)
  else fail(what)
  return condition
}

/** Adds the last `N passed, N failed, N skipped` that a test program printed; returns whether all went well. */
export function addCounts({ ok, stdout }, what) {
  const found = [...stdout.matchAll(/(\d+) passed, (\d+) failed, (\d+) skipped/g)].at(-1)
  if (!found) {
    fail(`${what}: no result`)
    return false
  }
  const failed = Math.max(Number(found[2]), ok ? 0 : 1)
  counts.passed += Number(found[1])
  counts.failed += failed
  counts.skipped += Number(found[3])
  console.log(`${what}: ${found[0]}${ok ? '' : ', and the program failed'}`)
  return failed === 0
}

/** Runs TypeScript tests one file after another; the result is counted with `addCounts`. */
export function vitest(paths, env) {
  const report = join(tmpdir(), `octavo-vitest-${process.pid}.json`)
  const program = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`]
  const { ok } = run(process.execPath, [program, 'run', ...reporters, '--no-file-parallelism', ...paths], {
    env,
  })
  if (!existsSync(report)) return { ok, stdout: '' }
  const result = JSON.parse(readFileSync(report, 'utf8'))
  rmSync(report, { force: true })
  const skipped = result.numPendingTests + result.numTodoTests
  return {
    ok,
    stdout: `${result.numPassedTests} passed, ${result.numFailedTests} failed, ${skipped} skipped`,
  }
}

/** Tells the runner that the tests of an instruction set ran. */
export function ran(isa) {
  console.log(`isa: ${isa}`)
}

/** The last line of a stage. */
export function finish() {
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exitCode = counts.failed > 0 ? 1 : 0
}

/** Configures and builds a CMake folder; returns whether it worked. */
export function cmake(folder, options, targets) {
  const launcher = has('ccache') ? ['-DCMAKE_CXX_COMPILER_LAUNCHER=ccache'] : []
  const generator = has('ninja') && !existsSync(join(folder, 'CMakeCache.txt')) ? ['-G', 'Ninja'] : []
  const configured = run('cmake', [
    '-S',
    join(root, 'native'),
    '-B',
    folder,
    ...generator,
    ...launcher,
    ...options,
  ])
  return configured.ok && run('cmake', ['--build', folder, '--parallel', '2', '--target', ...targets]).ok
}
