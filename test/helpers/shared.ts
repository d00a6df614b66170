/** Models and vectors in `../shared` beside the project. Tests that need them skip, and say so, where it is absent. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/** The path of something in `../shared`, or undefined. */
export function shared(...parts: string[]): string | undefined {
  const found = path.join(root, '..', 'shared', ...parts)
  return existsSync(found) ? found : undefined
}

/** All files below a folder of `../shared` that end so, sorted; [] where it is absent. */
export function sharedFiles(ending: string, ...parts: string[]): string[] {
  const folder = shared(...parts)
  if (folder === undefined) {
    console.warn(`skipped: ../shared/${parts.join('/')} is absent`)
    return []
  }
  return walk(folder).filter((file) => file.endsWith(ending))
}

function walk(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const file = path.join(folder, name)
      return statSync(file).isDirectory() ? walk(file) : [file]
    })
}
