// Formatting, lint rules, and files, exports and dependencies that nothing uses.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { check, finish, root, run, skip } from './tools.mjs'

/** The version that native/.clang-format is written for; others break lines elsewhere. */
const VERSION = 19

check(
  run('npx', ['biome', 'ci', '--error-on-warnings', '.']).ok,
  'biome: formatting and rules of TypeScript and JavaScript',
)
check(run('npx', ['knip', '--no-progress']).ok, 'knip: every file, export and dependency is used')

const formatter = [`clang-format-${VERSION}`, 'clang-format'].find((program) => {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return stdout?.includes(`version ${VERSION}.`)
})
if (formatter === undefined) {
  skip('clang-format', `needs version ${VERSION} (Debian: clang-format-${VERSION}, PyPI: clang-format)`)
} else {
  const files = readdirSync(join(root, 'native'), { recursive: true })
    .filter((file) => /\.(cc|h)$/.test(file))
    .map((file) => join(root, 'native', file))
  const style = `--style=file:${join(root, 'native', '.clang-format')}`
  const { status, stderr } = spawnSync(formatter, [style, '--dry-run', '--Werror', ...files], {
    encoding: 'utf8',
  })
  const found = new Set([...stderr.matchAll(/^(.+?):\d+:\d+: error/gm)].map((match) => match[1]))
  for (const file of found) console.log(`${file}: differs from what ${formatter} writes`)
  check(status === 0, `clang-format: ${files.length} files of native/`)
}
finish()
