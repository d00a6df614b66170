/** What is wrong with a graph of imports: arrows up or sideways, and circles. */
import { dirname } from 'node:path'
import { roomOf } from './layers.js'
import type { Imports } from './sources.js'

/** Imports that leave a room for one that is not below it, as `file -> file`. */
export function wrongWay(imports: Imports, layers: readonly (readonly string[])[]): string[] {
  const floor = new Map(layers.flatMap((rooms, i) => rooms.map((room) => [room, i] as const)))
  const found: string[] = []
  for (const [file, targets] of imports) {
    const from = roomOf(file)
    if (!floor.has(from)) found.push(`${file}: the room "${from}" has no place in the order`)
    for (const target of targets) {
      const to = roomOf(target)
      if (to !== from && !((floor.get(to) ?? Infinity) < (floor.get(from) ?? -1)))
        found.push(`${file} -> ${target}`)
    }
  }
  return found
}

/** Imports of files that are not there. */
export function dangling(imports: Imports): string[] {
  return [...imports].flatMap(([file, targets]) =>
    targets.filter((target) => !imports.has(target)).map((target) => `${file} -> ${target}`),
  )
}

/** Each circle of files as `a -> b -> a`: one for every import that closes one. */
export function circles(imports: Imports): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push([...path.slice(at), file].join(' -> '))
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const target of imports.get(file) ?? []) visit(target)
    path.pop()
    done.add(file)
  }
  for (const file of imports.keys()) visit(file)
  return found
}

/** The same between the folders below `prefix`. */
export function byFolder(imports: Imports, prefix: string): Imports {
  const folders = new Map<string, string[]>()
  for (const [file, targets] of imports) {
    if (!file.startsWith(prefix)) continue
    const from = dirname(file)
    const others = targets.filter((target) => target.startsWith(prefix)).map(dirname)
    folders.set(from, [...(folders.get(from) ?? []), ...others.filter((to) => to !== from)])
  }
  return folders
}
