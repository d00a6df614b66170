// The two engines under count: onnxruntime-node, whose counts are kept, and Octavo with an addon for arm64.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root, run } from '../../ci/tools.mjs'
import { installPeer } from '../../onnxruntime.mjs'

/** Octavo with the addon `file`, or with the one that the prebuild script makes for linux-arm64. */
export function octavo(file) {
  const addon = file ? resolve(file) : prebuilt()
  return {
    name: 'octavo',
    entry: join(root, 'dist', 'index.js'),
    env: (core) => ({ OCTAVO_BINARY: addon, OCTAVO_ISA: core.isa }),
    library: addon,
    // The prebuilt file is stripped; the one it is made of has the names at the same addresses.
    symbols: file ? addon : join(root, 'build', 'linux-arm64', 'octavo.node'),
    keep: false,
  }
}

function prebuilt() {
  const { ok } = run(process.execPath, [join(root, 'scripts', 'prebuild.mjs'), 'linux-arm64'])
  const file = join(root, 'prebuilds', 'linux-arm64', 'octavo.glibc.node')
  if (!ok || !existsSync(file)) throw new Error('there is no addon for arm64')
  return file
}

/** onnxruntime-node's own arm64 binary; undefined where the registry does not give it. */
export function onnxruntime() {
  const folder = installPeer()
  if (folder === undefined) return undefined
  const entry = join(folder, 'node_modules', 'onnxruntime-node')
  const { version } = JSON.parse(readFileSync(join(entry, 'package.json'), 'utf8'))
  return { name: `onnxruntime-${version}`, entry, env: () => ({}), keep: true }
}
