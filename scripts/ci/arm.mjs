// C++ tests of every ARM instruction set on emulated cores, and the output bits of models run by a Node of that
// architecture. qemu executes the instructions of the core it is given and no others: a wrong -march dies.
import { join } from 'node:path'
import { differing, expectedHashes, hashes } from './bits.mjs'
import { nodeBinary } from './nodes.mjs'
import { arm, buildOptions, EMULATED_NODE, emulator } from './targets.mjs'
import { addCounts, check, cmake, fail, finish, has, ran, root, run, skip } from './tools.mjs'

const expected = await expectedHashes()
for (const target of arm) {
  const tools = ['cmake', target.compiler, target.qemu].filter((tool) => !has(tool))
  if (tools.length > 0) {
    skip(target.name, `${tools.join(', ')} not found; .ci/run names the packages`)
    continue
  }
  const folder = join(root, 'build', target.name)
  if (!cmake(folder, buildOptions(target), ['octavo', 'octavo_tests'])) {
    fail(`${target.name}: build`)
    continue
  }
  const node = nodeBinary(target.node)
  if (!node) skip(`bits on ${target.name}`, `npm pack ${target.node} failed`)
  for (const core of target.cores) testCore(target, core, folder, node)
}
finish()

function testCore(target, core, folder, node) {
  const where = `${target.name} ${core.cpu}`
  const [qemu, ...rest] = emulator(target, core)
  const tested = addCounts(run(qemu, [...rest, join(folder, 'octavo_tests')]), `${where} C++`)
  if (!node) return
  const result = hashes([qemu, ...rest, node, ...EMULATED_NODE], {
    env: { OCTAVO_BINARY: join(folder, 'octavo.node') },
  })
  const chosen = check(result.isa === core.isa, `${where} chooses ${core.isa}`)
  const different = differing(expected, result)
  const same = check(
    different.length === 0,
    `${where}: same bits of ${expected.length} models as on this machine${different.map((d) => `, but not ${d}`).join('')}`,
  )
  if (tested && chosen && same) ran(core.isa)
}
