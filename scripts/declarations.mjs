// Declarations that a user's compiler reaches from the entry points; those of all other modules only make the package larger.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What a declaration file imports: its own relative specifiers. */
export const importsOf = (text) =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.js['"]/g)].map(([, path]) => path)

/** Removes the .d.ts files below `folder` that none of the `entries` leads to. */
export function pruneDeclarations(folder, entries) {
  const kept = new Set()
  const pending = entries.map((name) => join(folder, name))
  for (let file = pending.pop(); file; file = pending.pop()) {
    if (kept.has(file)) continue
    kept.add(file)
    for (const path of importsOf(readFileSync(file, 'utf8')))
      pending.push(join(dirname(file), `${path}.d.ts`))
  }
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name)
    if (name.endsWith('.d.ts') && !kept.has(file)) rmSync(file)
  }
}
