// Progress on stderr: a bar on a terminal, a line per step elsewhere.
import { Presets, SingleBar } from 'cli-progress'

export class Progress {
  #bar
  #done = 0
  #command

  constructor(total, command = 'bench') {
    this.#command = command
    if (!process.stderr.isTTY) return
    const format = '{bar} {value}/{total} {text}'
    this.#bar = new SingleBar(
      { format, stream: process.stderr, clearOnComplete: true },
      Presets.shades_classic,
    )
    this.#bar.start(total, 0, { text: '' })
  }

  /** The step that begins now. */
  step(text) {
    if (this.#bar) this.#bar.update(this.#done++, { text })
    else process.stderr.write(`${this.#command}: ${text}\n`)
  }

  /** A line that stays. */
  note(text) {
    process.stderr.write(`${this.#bar ? '\n' : ''}${this.#command}: ${text}\n`)
  }

  end() {
    this.#bar?.stop()
  }
}
