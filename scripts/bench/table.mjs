// A table { title, head, rows, notes } for a terminal or for a document.
import CliTable from 'cli-table3'
import { markdownTable } from './document.mjs'

export function terminal({ title, head, rows, notes = [] }) {
  const aligns = head.map((_, i) => (i > 0 && rows.every((r) => isNumber(r[i])) ? 'right' : 'left'))
  const table = new CliTable({ head, colAligns: aligns, style: { head: [], border: [], compact: true } })
  table.push(...rows)
  return [title, table.toString(), ...notes].join('\n')
}

export function markdown({ title, head, rows, notes = [] }) {
  return [`### ${title}`, markdownTable(head, rows), ...notes].join('\n\n')
}

function isNumber(cell) {
  return cell === '' || /^[-\d]/.test(cell)
}

/** Three digits that matter: 123, 12.3, 1.23, 0.123. */
export function digits(value) {
  if (value === undefined || !Number.isFinite(value)) return ''
  if (value === 0) return '0'
  const decimals = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(Math.abs(value)))))
  return value.toFixed(decimals)
}

export function percent(value) {
  return value === undefined || !Number.isFinite(value) ? '' : `${Math.round(value * 100)} %`
}
