// onnxruntime-node for comparisons: 291 MB that are no dependency of the project, so it has a folder of its own in build/.
// Nothing that it ships is run while it is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const PEER = 'onnxruntime-node@1.30.0'
const root = fileURLToPath(new URL('..', import.meta.url))

/** The folder whose node_modules has it: OCTAVO_ORT, else one in build/; undefined where it is not there. */
export function peerFolder() {
  const folders = [process.env.OCTAVO_ORT, join(root, 'build', 'peer')]
  return folders.find((f) => f && existsSync(join(f, 'node_modules', 'onnxruntime-node', 'package.json')))
}

/** Installs it where it is not there; the folder, or undefined where the registry does not give it. */
export function installPeer() {
  const found = peerFolder()
  if (found) return found
  const folder = join(root, 'build', 'peer')
  mkdirSync(folder, { recursive: true })
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  spawnSync('npm', ['install', '--prefix', folder, ...flags, PEER], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 10 * 60_000,
  })
  return peerFolder()
}
