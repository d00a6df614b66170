// The same output bits under every instruction set that this CPU has, at one thread and at two; C++ tests with each
// one forced.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expectedHashes, models } from './models.mjs'
import { addCounts, check, finish, ran, root, run, skip } from './tools.mjs'

const { binding } = await import('../../dist/native/load.js')
const expected = await expectedHashes()
const tests = join(root, 'build', 'native', 'octavo_tests')
for (const { name, compiled, supported, reason } of binding().isas) {
  if (!compiled || !supported) {
    console.log(`${name}: ${compiled ? 'compiled, not run' : 'not compiled'} (${reason})`)
    continue
  }
  for (const threads of [1, 2]) {
    const result = run(
      process.execPath,
      [join(root, 'scripts', 'ci', 'hash.mjs'), String(threads), ...models()],
      {
        env: { OCTAVO_ISA: name },
      },
    )
    const got = result.stdout
      .split('\n')
      .filter((line) => line.startsWith('hash '))
      .join('\n')
    check(result.ok && got === expected && expected !== '', `${name}, ${threads} threads: same bits`)
  }
  if (!existsSync(tests)) skip(`${name}: C++ tests`, 'built only with CMake')
  else addCounts(run(tests, [], { env: { OCTAVO_ISA: name } }).stdout, `${name} C++`)
  ran(name)
}
finish()
