/** The package has the declarations that its entry points lead to, and no others. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'

const { pruneDeclarations } = (await import(
  pathToFileURL(join(import.meta.dirname, '..', '..', 'scripts', 'declarations.mjs')).href
)) as { pruneDeclarations(folder: string, entries: readonly string[]): void }

it('keeps what is reached by any form of import, and removes the rest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'declarations-'))
  try {
    mkdirSync(join(folder, 'inner'))
    const files = {
      'index.d.ts': "import type { A } from './a.js';\nexport { B } from './inner/b.js';\n",
      'a.d.ts': "export type A = import('./inner/c.js').C;\nimport { x } from 'package';\n",
      'inner/b.d.ts': "export * from '../a.js';\n",
      'inner/c.d.ts': 'export type C = number;\n',
      'inner/unused.d.ts': "import { A } from '../a.js';\n",
      'unused.js': '',
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    pruneDeclarations(folder, ['index.d.ts'])
    const left = Object.keys(files).filter((name) => existsSync(join(folder, name)))
    expect(left).toEqual(['index.d.ts', 'a.d.ts', 'inner/b.d.ts', 'inner/c.d.ts', 'unused.js'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
