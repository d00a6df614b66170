/** The walk itself: what counts as a name, and as a comment. */
import { expect, test } from 'vitest'
import { ENTRIES, programOf, publicNames } from './walk.js'

const file = `${ENTRIES.octavo}`.replace('index.ts', 'made-up.ts')

function namesOf(text: string) {
  return publicNames(programOf(new Map([[file, text]]), { roots: [] }), { made: file }).map(
    (n) => `${n.comment ? '' : '!'}${n.name}:${n.line}`,
  )
}

test('names without a comment, overloads, members of members, inherited and picked ones', () => {
  const text = `/** A head is the comment of no name. */

export interface Options extends Base, Pick<Big, 'some'> {
  /** Said. */
  readonly said: number
  readonly unsaid: { inner: string; /** Editors do not show this. */ other: keyof Hidden }
}
interface Base {
  /** Said. */
  base: Big['named']
}
interface Big { some: 1; named: Named; hidden: Hidden }
type Named = 'a' | 'b'
interface Hidden { never: 1 }
/** Said. */
export function over(x: number): void
export function over(x: string): void
export function over(_x: unknown): void {}
/** */
export class Class {
  #own = 1
  private readonly kept = 2
  static made(): void {}
  /** Said. */
  get both(): number { return this.#own + this.kept }
  set both(_value: number) {}
}
`
  expect(namesOf(text)).toEqual([
    'made:3',
    'over:16',
    '!over:17',
    '!Options:3',
    '!Base:8',
    'Base.base:10',
    '!Named:13',
    '!Options.some:12',
    'Options.said:5',
    '!Options.unsaid:6',
    '!Options.unsaid.inner:6',
    '!Options.unsaid.other:6',
    '!Class:20',
    '!Class.made:23',
    'Class.both:25',
  ])
})

test('tags are read whole, and are not the text', () => {
  const text = `/**
 * What it is.
 *
 * @example
 * \`\`\`ts
 * if (true) {
 *   call('a')
 * }
 * \`\`\`
 *
 * @throws {TypeError} \`ERR_RUN\`: in two
 * lines.
 */
export function call(_x: string): void {}
`
  const [, call] = publicNames(programOf(new Map([[file, text]]), { roots: [] }), { made: file })
  expect(call?.comment?.text).toBe('What it is.')
  expect(call?.comment?.tags('example')).toEqual(["```ts\nif (true) {\n  call('a')\n}\n```"])
  expect(call?.comment?.tags('throws')).toEqual(['{TypeError} `ERR_RUN`: in two\nlines.'])
})
