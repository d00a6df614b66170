import { describe, expect, it, test } from 'vitest'
import { byFolder, circles, dangling, wrongWay } from './graph.js'
import { LIB, NATIVE, orderText } from './layers.js'
import { includes, read, typeScriptImports } from './sources.js'

describe.each([
  ['lib', typeScriptImports('lib'), LIB],
  ['native', includes('native'), NATIVE],
] as const)('%s', (_, imports, layers) => {
  it('is read whole', () => {
    expect(imports.size).toBeGreaterThan(100)
    expect(dangling(imports)).toEqual([])
  })

  it('imports point down, from room to room', () => expect(wrongWay(imports, layers)).toEqual([]))

  it('has no circle of files', () => expect(circles(imports)).toEqual([]))
})

test.each(['native/ops/', 'native/kernels/'])('the folders of %s make no circle', (prefix) => {
  const folders = byFolder(includes('native'), prefix)
  expect(folders.size).toBeGreaterThan(5)
  expect(circles(folders)).toEqual([])
})

test('docs/architecture.md states this order', () => {
  const page = read('docs/architecture.md')
  expect(page).toContain(orderText(LIB))
  expect(page).toContain(orderText(NATIVE))
})

describe('what the checks see', () => {
  const imports = new Map([
    ['lib/graph/a.ts', ['lib/graph/b.ts', 'lib/ops/c.ts']],
    ['lib/graph/b.ts', ['lib/errors.ts']],
    ['lib/ops/c.ts', ['lib/graph/a.ts', 'lib/gone.ts']],
    ['lib/native/d.ts', ['lib/onnx/e.ts']],
    ['lib/attic/f.ts', []],
  ])

  it('an arrow up, one sideways, a room without a place', () =>
    expect(wrongWay(imports, LIB)).toEqual([
      'lib/graph/a.ts -> lib/ops/c.ts',
      'lib/ops/c.ts -> lib/gone.ts',
      'lib/native/d.ts -> lib/onnx/e.ts',
      'lib/attic/f.ts: the room "attic" has no place in the order',
    ]))

  it('a circle', () => expect(circles(imports)).toEqual(['lib/graph/a.ts -> lib/ops/c.ts -> lib/graph/a.ts']))

  it('a circle of folders', () => {
    const folders = byFolder(
      new Map([
        ['x/a/b', ['x/c/d']],
        ['x/a/e', []],
        ['x/c/f', ['x/a/e', 'y/z']],
      ]),
      'x/',
    )
    expect(circles(folders)).toEqual(['x/a -> x/c -> x/a'])
  })

  it('a file that is not there', () => expect(dangling(imports)).toContain('lib/ops/c.ts -> lib/gone.ts'))
})
