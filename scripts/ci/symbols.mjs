// Files of an instruction set may define nothing that another file could pick up: a weak symbol compiled with its flags
// would kill an older CPU. Also: generated files are fresh.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { check, finish, root, run, skip } from './tools.mjs'

check(
  run(process.execPath, [join(root, 'scripts', 'gen-isa.mjs'), '--check']).ok,
  'isa.gypi and isa_table.inc are those of isa.json',
)
check(
  run(process.execPath, [join(root, 'scripts', 'gen-steps.mjs'), '--check']).ok,
  'files made of the table of steps (lib/plan/steps/) are fresh',
)

check(
  run(process.execPath, [join(root, 'scripts', 'gen-records.mjs'), '--check']).ok,
  'records.h is that of lib/statistics/record.ts',
)

const isas = new Set(
  JSON.parse(run('cat', [join(root, 'native', 'isa.json')]).stdout)
    .isas.map((isa) => isa.name)
    .filter((n) => n !== 'scalar'),
)
for (const build of ['native', 'linux-arm64', 'linux-arm']) {
  const folder = join(root, 'build', build)
  if (!existsSync(folder)) {
    if (build === 'native') skip('weak symbols', 'no CMake build')
    continue
  }
  const objects = readdirSync(folder, { recursive: true }).filter((f) =>
    isas.has(/([^/]+)\.cc\.o$/.exec(f)?.[1] ?? ''),
  )
  const weak = objects.flatMap((object) => {
    const { stdout } = run('nm', ['-C', join(folder, object)])
    return stdout
      .split('\n')
      .filter((line) => /^[0-9a-f]* [WVu] /.test(line))
      .map((line) => `${object}: ${line}`)
  })
  for (const line of weak.slice(0, 10)) console.log(line)
  check(weak.length === 0, `${build}: ${objects.length} files of instruction sets define no weak symbols`)
}
finish()
