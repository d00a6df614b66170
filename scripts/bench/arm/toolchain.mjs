// What counting needs beyond the project: the tools of ../shared/arm, used where they are, an emulator with plugins, llvm-mca,
// and a Node for arm64. Made once, in build/bench/arm.
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { nodeBinary } from '../../ci/nodes.mjs'
import { arm } from '../../ci/targets.mjs'
import { has, root, run } from '../../ci/tools.mjs'
import { CORES } from './cores.mjs'

export const folder = join(root, 'build', 'bench', 'arm')
const shared = join(root, '..', 'shared', 'arm')
export const COUNT = join(shared, 'count.js')
export const BLOCKS = join(shared, 'mcablocks.py')
const PLUGIN = join(shared, 'icount.c')
const SYSROOT = join(shared, 'mksysroot.sh')

/** With what the tools come in Debian. */
const PACKAGES = {
  gcc: 'gcc',
  python3: 'python3',
  'qemu-aarch64': 'qemu-user',
  'aarch64-linux-gnu-nm': 'g++-aarch64-linux-gnu',
  'llvm-mca-19': 'llvm-19',
  'llvm-mc-19': 'llvm-19',
}

/** Why nothing can be counted here, one reason a line; empty where all is at hand. */
export function missing() {
  const files = [COUNT, BLOCKS, PLUGIN, SYSROOT].filter((file) => !existsSync(file))
  const commands = Object.keys(PACKAGES).filter((command) => !has(command))
  return [
    ...files.map((file) => `${file} is not there: the tools for counting lie beside the project`),
    ...commands.map((command) => `${command} is not installed (Debian: ${PACKAGES[command]})`),
    ...(existsSync('/usr/aarch64-linux-gnu/lib')
      ? []
      : ['/usr/aarch64-linux-gnu/lib is not there (Debian: g++-aarch64-linux-gnu)']),
  ]
}

/** The plugin, compiled, a folder of /proc and /sys of each core, and the Node that runs the engines. */
export function prepare() {
  mkdirSync(folder, { recursive: true })
  const plugin = join(folder, 'libicount.so')
  if (isOlder(plugin, PLUGIN)) {
    const args = ['-O2', '-shared', '-fPIC', '-fvisibility=hidden', '-o', plugin, PLUGIN]
    if (!run('gcc', args).ok) throw new Error('the plugin of ../shared/arm does not compile')
  }
  const sysroots = new Map()
  for (const core of CORES) {
    const path = join(folder, `root-${core.sysroot}`)
    if (isOlder(path, SYSROOT) && !run('bash', [SYSROOT, path, core.sysroot, '4']).ok)
      throw new Error(`no /proc and /sys of ${core.name} could be made`)
    sysroots.set(core.name, path)
  }
  const { node: spec } = arm.find((target) => target.name === 'linux-arm64')
  const node = nodeBinary(spec)
  if (!node) throw new Error(`npm pack ${spec} failed: there is no Node for arm64`)
  return { plugin, sysroots, node }
}

function isOlder(made, from) {
  return !existsSync(made) || statSync(made).mtimeMs < statSync(from).mtimeMs
}
