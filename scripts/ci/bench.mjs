// The bench in its shortest form: it fails on a crash or a wrong result, never on time or load. onnxruntime takes part only
// where the stage `peer` installed it. And every bench of the kernels once.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, finish, has, root, run, skip } from './tools.mjs'

const report = join(root, 'build', 'bench-quick.json')
const bench = (...args) =>
  run(process.execPath, [join(root, 'scripts', 'bench', 'main.mjs'), '--quick', ...args])

if (check(bench('--json', report).ok, 'the bench of models runs')) {
  const { verified, skipped } = JSON.parse(readFileSync(report, 'utf8'))
  for (const { model, what, ok, why } of verified) check(ok, `${model}: ${what}${ok ? '' : `: ${why}`}`)
  for (const name of skipped) skip(`bench of ${name}`, 'no folder ../shared/models')
}
if (!has('cmake')) skip('benches of the kernels', 'built only with CMake')
else check(bench('--kernels').ok, 'the benches of the kernels run')
finish()
