/** A tokenizer.json of one token a letter, and what else is in its folder. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Tokens 0 to 2 are special (`<s>`, `</s>`, `<unk>`), then the letters. */
const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!? ']

export async function writeTokenizer(folder: string, end: number): Promise<void> {
  const special = (id: number, content: string) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })
  const tokens = ['<s>', '</s>', '<unk>', ...LETTERS]
  const json = {
    version: '1.0',
    added_tokens: [special(0, '<s>'), special(1, '</s>'), special(2, '<unk>')],
    normalizer: null,
    pre_tokenizer: { type: 'Split', pattern: { Regex: '' }, behavior: 'Isolated', invert: false },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
    },
    decoder: { type: 'Fuse' },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      vocab: Object.fromEntries(tokens.map((token, i) => [token, i])),
      merges: [],
    },
  }
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json))
  const config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: '<s>',
    eos_token: '</s>',
    clean_up_tokenization_spaces: false,
  }
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config))
  await writeFile(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: [end] }))
}
