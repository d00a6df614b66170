import { describe, expect, it } from 'vitest'
import { script } from './module.js'

interface Document {
  replacePart(text: string, name: string, body: string): string
  markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string
}

const { replacePart, markdownTable } = await script<Document>('document.mjs')

describe('parts of a document', () => {
  const text = 'a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y --><!-- /y -->\n'

  it('replaces what is between the markers', () => {
    const once = replacePart(text, 'x', 'new\n')
    expect(once).toBe('a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n<!-- y --><!-- /y -->\n')
    expect(replacePart(once, 'x', 'new')).toBe(once)
    expect(replacePart(text, 'y', 'new')).toContain('old')
  })

  it('refuses a document without them, or with two', () => {
    expect(() => replacePart(text, 'z', '')).toThrow('<!-- z -->')
    expect(() => replacePart('<!-- x -->', 'x', '')).toThrow('<!-- /x -->')
    expect(() => replacePart(text + text, 'x', '')).toThrow('twice')
  })

  it('escapes bars in tables', () => {
    expect(markdownTable(['a', 'b'], [['1|2', '3']])).toBe('| a | b |\n|---|---|\n| 1\\|2 | 3 |')
  })
})
