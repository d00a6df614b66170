/** The source files of the project and what each of them names with `import` or `#include`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** File -> the files that it imports; paths from the root of the project. */
export type Imports = ReadonlyMap<string, readonly string[]>

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** Files below a folder whose name ends so, sorted. */
export function filesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => `${folder}/${name}`)
    .sort()
}

/** Imports between TypeScript files, those of types alone and `import()` included. */
export function typeScriptImports(folder: string): Imports {
  const target = (file: string, name: string) => normalize(join(dirname(file), name)).replace(/\.js$/, '.ts')
  return new Map(
    filesOf(folder, /\.ts$/).map((file) => {
      const { importedFiles } = ts.preProcessFile(read(file))
      const own = importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
      return [file, own.map(({ fileName }) => target(file, fileName))]
    }),
  )
}

/** Includes between C++ files, without tests: relative to the file, or to native/. */
export function includes(folder: string): Imports {
  const target = (file: string, name: string) => {
    const near = normalize(join(dirname(file), name))
    return existsSync(join(root, near)) ? near : normalize(join(folder, name))
  }
  const files = filesOf(folder, /\.(cc|h|inc)$/).filter((file) => !isTest(file))
  return new Map(
    files.map((file) => {
      const names = [...read(file).matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)].map(
        (match) => match[1] as string,
      )
      return [file, names.map((name) => target(file, name))]
    }),
  )
}

function isTest(file: string): boolean {
  return /^native\/test\/|\/(\w+_)?(test|bench)\.cc$/.test(file)
}
