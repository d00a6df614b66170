/** Documentation that users trust: no public name without a comment, no entry point without errors and an example that compiles. */
import { beforeAll, describe, expect, test } from 'vitest'
import { diagnosticsOf, exampleFiles, readmeFile } from './examples.js'
import { ENTRIES, type PublicName, programOf, publicNames } from './walk.js'

const CALLS = [
  'quantize',
  'compare',
  'inspect',
  'explain',
  'generate',
  'InferenceSession.create',
  'InferenceSession.run',
  'InferenceSession.runSync',
  'Tensor',
]

let program: ReturnType<typeof programOf>
let names: readonly PublicName[] = []
beforeAll(() => {
  program = programOf()
  names = publicNames(program)
})

/** The texts of a tag of all overloads of a name. */
function tagsOf(name: string, tag: string): string[] {
  return names.filter((n) => n.name === name).flatMap((n) => n.comment?.tags(tag) ?? [])
}

/** Codes of lib/errors.ts, as the checker knows them. */
function errorCodes(): string[] {
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(ENTRIES.octavo as string) as never)
  const symbol = checker.getExportsOfModule(module as never).find((s) => s.name === 'ErrorCode')
  const type = checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol as never))
  return type.isUnion() ? type.types.map((t) => String((t as { value?: unknown }).value)) : []
}

describe('the public surface', () => {
  test('has every name that a user meets', () => {
    const found = new Set(names.map((n) => n.name))
    for (const name of [
      ...CALLS,
      'OctavoError.code',
      'SessionOptions.signal',
      'Metrics.sqnr',
      'octavo/register',
    ])
      expect(found, name).toContain(name)
    expect(names.length).toBeGreaterThan(300)
  })

  test('is documented, name by name', () => {
    const missing = names.filter((n) => !n.comment)
    console.info(`${names.filter((n) => n.comment).length} of ${names.length} public names are documented`)
    expect(missing.map((n) => `${n.file}:${n.line} ${n.name}`)).toEqual([])
  })

  test.each(CALLS)('%s says which errors it throws, by code', (name) => {
    const thrown = tagsOf(name, 'throws')
    expect(thrown.length).toBeGreaterThan(0)
    for (const text of thrown) expect(text, name).toMatch(/^\{\w+\} `ERR_[A-Z_]+`/)
  })

  test.each([...CALLS, ...Object.keys(ENTRIES)])('%s has an example', (name) => {
    expect(tagsOf(name, 'example').length).toBeGreaterThan(0)
  })

  test('comments name no other codes than there are, and ErrorCode explains each', () => {
    const codes = errorCodes()
    expect(codes).toContain('ERR_RUN')
    const explained = names.find((n) => n.name === 'ErrorCode')?.comment?.text ?? ''
    for (const code of codes) expect(explained).toContain(`\`${code}\``)
    const texts = names.flatMap((n) => [n.comment?.text ?? '', ...(n.comment?.tags('throws') ?? [])])
    const named = texts.flatMap((text) => text.match(/ERR_[A-Z_]+/g) ?? [])
    expect(named.filter((code) => !codes.includes(code))).toEqual([])
  })
})

describe('examples', () => {
  test('compile as they are, in a file of their own', () => {
    const files = new Map([...exampleFiles(names), ...readmeFile()])
    expect(files.size).toBeGreaterThan(CALLS.length)
    expect(diagnosticsOf(programOf(files, { old: program }), files)).toEqual([])
  })

  test('that do not compile are found', () => {
    const wrong = new Map([
      [`${[...exampleFiles(names).keys()][0]}.wrong.ts`, "import { nosuch } from 'octavo'"],
    ])
    expect(diagnosticsOf(programOf(wrong, { old: program }), wrong)).toEqual([
      expect.stringContaining('nosuch'),
    ])
  })
})
