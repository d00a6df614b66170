// Makes native/ops/observe/records.h of lib/statistics/record.ts (its compiled form). `--check` only tells whether it is stale.
import { pathToFileURL } from 'node:url'
import { writeOrCheck } from './generated.mjs'

const file = new URL('../native/ops/observe/records.h', import.meta.url)

const snake = (name) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
const elements = ({ length }) => (length.length === 0 ? '1' : length.join(' * '))
const words = (field) => (field.dtype === 'float64' ? elements(field) : `(${elements(field)} + 1) / 2`)
const type = ({ dtype }) => (dtype === 'float64' ? 'double' : 'float')

/** Where a field begins, in words of the state: the sizes of those before it, ones summed up. */
function offset(fields, i) {
  const before = fields.slice(0, i)
  const ones = before.filter((f) => words(f) === '1').length
  return [String(ones), ...before.map(words).filter((w) => w !== '1')].join(' + ')
}

function struct(kind, fields) {
  const name = `${kind[0].toUpperCase()}${kind.slice(1)}Record`
  const sizes = [...new Set(fields.flatMap((f) => f.length))]
  const parameters = sizes.map((s) => `int64_t ${s}`)
  const members = fields.map((f) => `  ${type(f)}* ${snake(f.name)};`)
  const made = fields.map((f, i) => {
    const at = i === 0 ? 'state' : `state + ${offset(fields, i)}`
    return `        ${snake(f.name)}(${f.dtype === 'float64' ? at : `reinterpret_cast<float*>(${at})`})`
  })
  const used = sizes.filter((size) => made.some((m) => m.includes(` ${size}`)))
  return `struct ${name} {
${members.join('\n')}

  ${used.length === 0 ? 'explicit ' : ''}${name}(${['double* state', ...used.map((size) => `int64_t ${size}`)].join(', ')})
      : ${made.join(',\n').trimStart()} {}
  static int64_t words(${parameters.join(', ')}) { return ${offset(fields, fields.length)}; }
};`
}

/** The header for these records. */
export function recordsHeader(records) {
  const structs = Object.entries(records).map(([kind, fields]) => struct(kind, fields))
  return `// What statistics steps keep in their state: float64 words, zero at first.
// Generated from lib/statistics/record.ts by scripts/gen-records.mjs.
#pragma once

#include <cstdint>

namespace octavo {

// clang-format off
${structs.join('\n\n')}
// clang-format on

}  // namespace octavo
`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { RECORDS } = await import('../dist/statistics/record.js')
  writeOrCheck([[file, recordsHeader(RECORDS)]], 'node scripts/gen-records.mjs')
}
