/** The `@example` blocks of doc comments, as files that the compiler checks. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { PublicName } from './walk.js'

/** Beside the package's own files: what `octavo` means there, programOf says. */
const folder = fileURLToPath(new URL('.', import.meta.url))

/** Path to text of every example; the path says whose it is. An example is a fenced block of ts. */
export function exampleFiles(names: readonly PublicName[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const { name, comment, line } of names) {
    comment?.tags('example').forEach((example, i) => {
      const code = /^```ts\n(.*)\n```$/s.exec(example)?.[1]
      if (code === undefined)
        throw new Error(`${name}: expected @example to be one block of ts, got\n${example}`)
      // A module even where it imports nothing; the line is the same.
      files.set(`${folder}${name.replace(/\W+/g, '-')}-${line}-${i}.example.ts`, `${code}\nexport {}\n`)
    })
  }
  return files
}

/** The program of README.md, with the data that it leaves to the reader. */
export function readmeFile(): Map<string, string> {
  const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, code] = /^```ts\n(.*?)\n```$/ms.exec(page) ?? []
  if (code === undefined) throw new Error('README.md: expected a block of ts')
  const given = [
    'declare const calibrationImages: readonly Float32Array[]',
    'declare const input: Tensor',
    'declare const testFeeds: readonly { readonly input: Tensor }[]',
  ]
  return new Map([[`${folder}README.example.ts`, [code, ...given].join('\n')]])
}

/** What the compiler says of these files: `file:line message`. */
export function diagnosticsOf(program: ts.Program, files: ReadonlyMap<string, string>): string[] {
  return [...files.keys()].flatMap((path) => {
    const source = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(({ start = 0, messageText }) => {
      const { line } = source?.getLineAndCharacterOfPosition(start) ?? { line: -1 }
      const message = ts.flattenDiagnosticMessageText(messageText, '\n')
      return `${path.slice(folder.length)}:${line + 1} ${message}`
    })
  })
}
