/** A progress bar on stderr, where that is a terminal. */
import cliProgress from 'cli-progress'

export class ProgressBar {
  #bar: cliProgress.SingleBar | undefined
  #phase = ''

  constructor(private readonly terminal: NodeJS.WriteStream) {}

  /** `total` is undefined where a stream does not say how long it is. */
  readonly update = (phase: string, done: number, total: number | undefined): void => {
    if (!this.terminal.isTTY) return
    if (phase !== this.#phase) this.start(phase, total)
    this.#bar?.update(done)
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
    this.#phase = ''
  }

  private start(phase: string, total: number | undefined): void {
    this.stop()
    this.#phase = phase
    const format = total === undefined ? `${phase} {value}` : `${phase} {bar} {value}/{total} {eta_formatted}`
    this.#bar = new cliProgress.SingleBar(
      // Signals are the program's own business.
      { format, stream: this.terminal, clearOnComplete: true, hideCursor: true, gracefulExit: false },
      cliProgress.Presets.shades_classic,
    )
    this.#bar.start(total ?? 0, 0)
  }
}
