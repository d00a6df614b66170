// The tables of a document that a command prints lie between two markers, <!-- NAME --> and <!-- /NAME -->, and are replaced
// there; what is written by hand around them stays.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'

/** `text` with the part `name` replaced. */
export function replacePart(text, name, body) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const start = text.indexOf(open)
  const end = text.indexOf(close, start)
  if (start < 0 || end < 0) throw new Error(`expected the markers ${open} and ${close}`)
  if (text.indexOf(open, start + 1) >= 0) throw new Error(`the marker ${open} is there twice`)
  return `${text.slice(0, start + open.length)}\n\n${body.trim()}\n\n${text.slice(end)}`
}

/** An error where a file has markers for none of the names; those it has. */
export function checkParts(file, names) {
  const text = readFileSync(file, 'utf8')
  const found = names.filter((name) => text.includes(`<!-- ${name} -->`))
  if (found.length === 0)
    throw new Error(`${file}: expected a marker <!-- ${names.join(' --> or <!-- ')} -->`)
  return found
}

/** Replaces the part `name` of a file, which is old or new and never between. */
export function writePart(file, name, body) {
  writeParts(file, { [name]: body })
}

/** Replaces those of `parts`, bodies by name, that a file has markers for; it must have one. */
export function writeParts(file, parts) {
  const names = checkParts(file, Object.keys(parts))
  const text = names.reduce((old, name) => replacePart(old, name, parts[name]), readFileSync(file, 'utf8'))
  const made = `${file}.${process.pid}`
  writeFileSync(made, text)
  renameSync(made, file)
}

/** A table in Markdown. */
export function markdownTable(head, rows) {
  const line = (cells) => `| ${cells.map((c) => String(c).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}
