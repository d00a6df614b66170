// What the stages share: running programs, counting, and saying which instruction set ran.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
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

/** Adds the last `N passed, N failed, N skipped` that a test program printed. */
export function addCounts(text, what) {
  const found = [...text.matchAll(/(\d+) passed, (\d+) failed, (\d+) skipped/g)].at(-1)
  if (!found) return fail(`${what}: no result`)
  counts.passed += Number(found[1])
  counts.failed += Number(found[2])
  counts.skipped += Number(found[3])
  console.log(`${what}: ${found[0]}`)
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
