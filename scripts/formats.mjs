// Every number format on models of each kind: bytes of the file and in memory, time of a run, and what is lost.
//
//   npm run formats -- [--models REGEX] [--formats REGEX] [--samples N] [--write FILE] [--json]
//
// Models in ../shared/models and data in npm packages (OCTAVO_DATA) are used where they are there; what is absent is said.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Missing } from './accuracy/packages.mjs'
import { checkParts, markdownTable, writePart } from './bench/document.mjs'
import { describeMachine } from './bench/machine.mjs'
import { FORMATS } from './formats/list.mjs'
import { MODELS } from './formats/models.mjs'
import { measureFormats } from './formats/run.mjs'

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '.' },
    formats: { type: 'string', default: '.' },
    samples: { type: 'string', default: '500' },
    write: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const part = 'formats'
if (options.write) checkParts(options.write, [part])

const rows = []
const skipped = []
const formats = FORMATS.filter(({ name }) => name === 'float' || new RegExp(options.formats).test(name))
for (const model of MODELS.filter(({ name }) => new RegExp(options.models).test(name))) {
  try {
    const data = await model.load(Number(options.samples))
    const own = formats.filter(({ models = /./ }) => models.test(model.name))
    for await (const row of measureFormats(model.name, data, own)) {
      rows.push(row)
      if (!options.json) console.error(`${row.model} ${row.format}: ${row.lost ?? row.why}`)
    }
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    skipped.push(`${model.name} skipped: ${error.message}.`)
  }
}
if (options.json) console.log(JSON.stringify({ rows, skipped }, null, 2))
else print()

function print() {
  const table = markdownTable(
    [
      'model',
      'format',
      'file, kB',
      'of float',
      'constants in memory, kB',
      'resident, MB',
      'fastest run, ms',
      'result',
    ],
    rows.map(({ model, format, bytes, share, held, resident, ms, lost, why }) =>
      why === undefined
        ? [
            model,
            format,
            (bytes / 1e3).toFixed(0),
            share.toFixed(2),
            held > 0 ? (held / 1e3).toFixed(0) : 'not told',
            (resident / 1e6).toFixed(1),
            ms.toPrecision(3),
            lost,
          ]
        : [model, format, '', '', '', '', '', why],
    ),
  )
  const machine = describeMachine()
  const asked = process.argv.slice(2).filter((word, i, all) => word !== '--write' && all[i - 1] !== '--write')
  const command = ['npm run formats', ...(asked.length > 0 ? ['--', ...asked] : [])].join(' ')
  const intro = `\`${command}\` printed this on ${machine.cpu}, kernels ${machine.isa}, one thread, Node ${machine.node}, Octavo ${machine.octavo}; ${new Date().toISOString().slice(0, 10)}.`
  const body = [intro, table, ...skipped].join('\n\n')
  if (options.write) writePart(options.write, part, body)
  console.log(
    options.write
      ? `${options.write}: ${rows.length} rows, ${readFileSync(options.write).length} bytes`
      : body,
  )
}
