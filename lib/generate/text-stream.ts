/** Text of tokens as they come: nothing is given out that the next token may change, or that may begin a text to stop at. */
import type { TextTokenizer } from './types.js'

export class TextStream {
  #tokens: number[] = []
  /** How many of them, from the first, are out as text. */
  #out = 0
  #held = ''

  constructor(
    private readonly tokenizer: TextTokenizer | undefined,
    private readonly stops: readonly string[],
  ) {}

  /** `last`: no token follows, so nothing is held back. */
  push(token: number, last: boolean): { readonly text: string; readonly stopped: boolean } {
    if (!this.tokenizer) return { text: '', stopped: false }
    this.#held += this.#decode(this.tokenizer, token, last)
    const ends = this.stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0)
    if (ends.length > 0) return { text: this.#held.slice(0, Math.min(...ends)), stopped: true }
    return { text: this.#release(last ? 0 : this.#mayStop()), stopped: false }
  }

  /** What is held back, where the generation ends before it is decided. */
  rest(): string {
    return this.#release(0)
  }

  /** Text is what a window of tokens has more than those of it whose text is out: a decoder may put spaces between tokens. */
  #decode(tokenizer: TextTokenizer, token: number, last: boolean): string {
    this.#tokens.push(token)
    const decode = (tokens: number[]) =>
      tokens.length === 0 ? '' : tokenizer.decode(tokens, { skip_special_tokens: true })
    const text = decode([...this.#tokens])
    if (text.endsWith('\uFFFD') && !last) return ''
    const more = text.slice(decode(this.#tokens.slice(0, this.#out)).length)
    this.#tokens.splice(0, this.#out)
    this.#out = this.#tokens.length
    return more
  }

  /** Length of the longest end of what is held that begins a text to stop at. */
  #mayStop(): number {
    let longest = 0
    for (const stop of this.stops) {
      for (let n = Math.min(stop.length - 1, this.#held.length); n > longest; --n) {
        if (this.#held.endsWith(stop.slice(0, n))) longest = n
      }
    }
    return longest
  }

  #release(keep: number): string {
    const at = this.#held.length - keep
    const text = this.#held.slice(0, at)
    this.#held = this.#held.slice(at)
    return text
  }
}
