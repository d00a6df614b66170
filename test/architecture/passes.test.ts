import { describe, expect, test } from 'vitest'
import { filesOf, read } from './sources.js'

/** The files that the list of passes of a folder imports from its folder, without what passes share. */
function passesOf(folder: string, shared: readonly string[]): string[] {
  const names = [...read(`${folder}/index.ts`).matchAll(/from '\.\/([\w-]+)\.js'/g)].map(
    (m) => m[1] as string,
  )
  return names.filter((name) => !shared.includes(name))
}

describe.each([['lib/passes', 'test/passes', ['pass', 'check']]])('passes of %s', (folder, tests, shared) => {
  const passes = passesOf(folder, shared)

  test('are found', () => expect(passes.length).toBeGreaterThan(10))

  test.each(passes)('the head of %s shows its rewrite', (name) => {
    const [head] = read(`${folder}/${name}.ts`).split('*/')
    expect(head).toMatch(/^\/\*\*/)
    expect(head).toMatch(/ {2}=>/)
  })

  test('have a golden test each', () => {
    const golden = filesOf(tests, /\.test\.ts$/).filter((file) => /golden\.js'/.test(read(file)))
    const covered = golden.map((file) => file.slice(tests.length + 1, -'.test.ts'.length))
    expect(passes.filter((name) => !covered.includes(name))).toEqual([])
  })
})

// A file of step passes may hold several: each function shows its own rewrite.
describe('step passes', () => {
  const passes = passesOf('lib/compile/steps', [])

  test('are found', () => expect(passes.length).toBeGreaterThan(12))

  test.each(passes)('%s shows its rewrite', (name) => {
    expect(read(`lib/compile/steps/${name}.ts`)).toMatch(/ {2}=>/)
  })

  test('have a golden test each', () => {
    const golden = filesOf('test/compile/steps', /\.test\.ts$/).filter((file) =>
      /plan-text\.js'/.test(read(file)),
    )
    const covered = golden.map((file) => file.slice('test/compile/steps/'.length, -'.test.ts'.length))
    expect(passes.filter((name) => !covered.includes(name))).toEqual([])
  })
})
