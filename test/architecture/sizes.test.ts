import { expect, test } from 'vitest'
import { filesOf, read } from './sources.js'

/** Written by scripts/gen-*.mjs. */
const isGenerated = (text: string) => /generated|do not edit/i.test(text.slice(0, 400))

const sizes = (folder: string) =>
  filesOf(folder, /\.(ts|mjs|cjs|py|cc|h|inc)$/)
    .map((file) => [file, read(file)] as const)
    .filter(([, text]) => !isGenerated(text))
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))

test.each(['lib', 'native', 'scripts', 'test'])('no file of %s has more than 400 lines', (folder) => {
  const all = sizes(folder)
  expect(all.length).toBeGreaterThan(20)
  expect(all.filter(({ lines }) => lines > 400)).toEqual([])
})

test.each(['lib', 'native', 'scripts', 'test'])('half of the files of %s have at most 90 lines', (folder) => {
  const lines = sizes(folder).map((size) => size.lines)
  const middle = lines.sort((a, b) => a - b)[Math.floor(lines.length / 2)]
  expect(middle).toBeLessThanOrEqual(90)
})
