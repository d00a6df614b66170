/** What `generate` is asked for, and what it gives. */
/** Turns text into tokens and back; a `Tokenizer` of the package `@huggingface/tokenizers` is one. */
export interface TextTokenizer {
  /** The tokens of a text, with those that the model wants at its start. */
  encode(text: string): EncodedText
  /** The text of some tokens; an incomplete character at the end is U+FFFD. */
  decode(tokens: number[], options?: DecodeOptions): string
}

/** A text as tokens. */
export interface EncodedText {
  /** Numbers of the tokens. */
  readonly ids: readonly number[]
}

/** Options of `TextTokenizer.decode`. */
export interface DecodeOptions {
  /** Tokens that stand for no text, such as the end of a text, are left out. */
  skip_special_tokens?: boolean
}

/** Options of `generate`. */
export interface GenerateOptions {
  /** For a prompt that is text, and for the text of the result. Default: none, tokens in and out. */
  readonly tokenizer?: TextTokenizer
  /** Most tokens to generate, 1 or more. Default 256. */
  readonly maxTokens?: number
  /** What logits are divided by, 0 or more. Default 0: always the likeliest token, of equal ones the first. */
  readonly temperature?: number
  /** Only the so many likeliest tokens are drawn from, 1 or more. Default: all. */
  readonly topK?: number
  /** Only the likeliest tokens that together have this probability are drawn from, above 0 to 1. Default 1. */
  readonly topP?: number
  /** Of the random numbers, 0 to 2^32 - 1: the same seed draws the same tokens of the same logits. Default 0. */
  readonly seed?: number
  /** Ends at any of these: tokens by number, or texts, which need a tokenizer and are not part of the result. Default: none. */
  readonly stop?: readonly (number | string)[]
  /** Aborting it ends the generation: the iterator then throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** One step of `generate`. */
export interface GeneratedToken {
  /** Number of the token. */
  readonly token: number
  /** Text that is certain by now: `''` in the middle of a character, or of what may become a text of `stop`. */
  readonly text: string
  /** Of the last step: `stop` at one of the options' `stop`, `length` at `maxTokens`. */
  readonly finish?: 'stop' | 'length'
}
