// Prebuilt addons for Linux on x64, arm64 and arm (ARMv7): node scripts/prebuild.mjs [linux-x64 ...]
// Each is checked for its architecture and for the libraries it needs; what cannot be built here is named.
import { copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { arm, buildOptions, compilerOf, x64 } from './ci/targets.mjs'
import { check, cmake, finish, has, root, run, skip } from './ci/tools.mjs'

/** Node's own floor on Linux: an addon that needs more does not load where Node does. */
const FLOOR = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25], CXXABI: [1, 3, 11] }

const wanted = process.argv.slice(2)

for (const target of [x64, ...arm]) {
  if (wanted.length > 0 && !wanted.includes(target.name)) continue
  if (process.platform !== 'linux' || !has('cmake') || !has(target.compiler)) {
    skip(target.name, `needs Linux, cmake and ${target.compiler}`)
    continue
  }
  const folder = join(root, 'build', target.toolchain ? target.name : 'native')
  if (!check(cmake(folder, buildOptions(target), ['octavo']), `${target.name}: built`)) continue
  const output = join(root, 'prebuilds', target.name, 'octavo.glibc.node')
  mkdirSync(join(root, 'prebuilds', target.name), { recursive: true })
  // Renamed into place: a process that has the old file loaded keeps it.
  copyFileSync(join(folder, 'octavo.node'), `${output}.new`)
  run(target.strip, ['--strip-unneeded', `${output}.new`])
  renameSync(`${output}.new`, output)
  check(target.file.test(run('file', ['-b', output]).stdout), `${target.name}: architecture`)
  const above = versionsAbove(run('readelf', ['-VW', output]).stdout)
  check(
    above.length === 0,
    `${target.name}: loads where Node loads${above.length > 0 ? `, but needs ${above.join(', ')}` : ''}`,
  )
  const size = (statSync(output).size / 2 ** 20).toFixed(2)
  console.log(`${target.name}: ${size} MiB, ${compilerOf(target)}`)
}
finish()

/** Symbol versions that the file needs and that are above the floor. */
function versionsAbove(text) {
  const needed = new Set([...text.matchAll(/Name: ((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)/g)].map((m) => m[1]))
  return [...needed].filter((version) => {
    const [library, number] = version.split('_')
    const parts = number.split('.').map(Number)
    const floor = FLOOR[library]
    for (let i = 0; i < Math.max(parts.length, floor.length); ++i) {
      const difference = (parts[i] ?? 0) - (floor[i] ?? 0)
      if (difference !== 0) return difference > 0
    }
    return false
  })
}
