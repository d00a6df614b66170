/** What commands print: JSON, or tables; numbers that fit their columns; a progress bar on a terminal. */
import cliProgress from 'cli-progress'
import Table from 'cli-table3'

/** What JSON has no numbers for is text: "NaN", "Infinity", integers beyond 2^53. */
export function printJson(value: unknown): void {
  const replace = (_: string, v: unknown): unknown => {
    if (typeof v === 'bigint') return Number.isSafeInteger(Number(v)) ? Number(v) : String(v)
    return typeof v === 'number' && !Number.isFinite(v) ? String(v) : v
  }
  line(JSON.stringify(value, replace, 2))
}

export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const style = { head: [], border: [] }
  const table = new Table({ head: [...head], style, chars: PLAIN })
  table.push(...rows.map((row) => row.map(String)))
  process.stdout.write(`${table.toString()}\n`)
}

const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
}

export function line(text = ''): void {
  process.stdout.write(`${text}\n`)
}

/** On stderr, so that what is printed stays what was asked for. */
export function warn(text: string): void {
  process.stderr.write(`octavo: warning: ${text}\n`)
}

export function number(value: number | undefined, digits = 4): string {
  if (value === undefined) return ''
  if (!Number.isFinite(value)) return String(value)
  return Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : value.toPrecision(digits)
}

export function percent(value: number | undefined): string {
  return value === undefined ? '' : `${(value * 100).toFixed(2)} %`
}

export function bytes(value: number): string {
  return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(2)} MB`
}

/** A bar on stderr where it is a terminal; else nothing. */
export class ProgressBar {
  private bar: cliProgress.SingleBar | undefined
  private phase = ''

  update(phase: string, done: number, total: number | undefined): void {
    if (!process.stderr.isTTY) return
    if (phase !== this.phase) {
      this.stop()
      this.phase = phase
      const format =
        total === undefined ? `${phase} {value}` : `${phase} {bar} {value}/{total} {eta_formatted}`
      this.bar = new cliProgress.SingleBar({
        format,
        stream: process.stderr,
        clearOnComplete: true,
        hideCursor: true,
      })
      this.bar.start(total ?? 0, done)
    }
    this.bar?.update(done)
  }

  stop(): void {
    this.bar?.stop()
    this.bar = undefined
  }
}
