// npm run bench: what Octavo takes beside onnxruntime on this machine. --help says the rest.
import { renameSync, writeFileSync } from 'node:fs'
import { checkParts, writeParts } from './document.mjs'
import { parseOptions } from './options.mjs'
import { stopAll } from './processes.mjs'
import { markdown, terminal } from './table.mjs'

const options = parseOptions(process.argv.slice(2))
// Read when the addon is loaded, which the imports below do.
if (options.isa) process.env.OCTAVO_ISA = options.isa
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    stopAll()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })

const { benchAgainst } = await import('./against.mjs')
const { benchBlocks } = await import('./blocks.mjs')
const { benchKernels } = await import('./kernels.mjs')
const { benchModels } = await import('./run.mjs')
const { summaryTable } = await import('./tables.mjs')
const command = `npm run bench${['', ...process.argv.slice(2)].join(' ').replace(/^ /, ' -- ')}`
const { results, tables } = await measured()
const about = { date: new Date().toISOString().slice(0, 10), command, ...results }

const { machine } = results
const versions = [
  `Octavo ${machine.octavo}`,
  machine.onnxruntime && `onnxruntime-node ${machine.onnxruntime}`,
]
const intro = `${machine.cpu}, ${machine.cores} cores, kernels ${machine.isa}, Node ${machine.node}; ${versions.filter(Boolean).join(', ')}; ${about.date}`
if (options.json === '-') process.stdout.write(`${JSON.stringify(about, null, 2)}\n`)
else console.log([intro, ...tables.map(terminal)].join('\n\n'))
if (options.json && options.json !== '-') {
  writeFileSync(`${options.json}.${process.pid}`, JSON.stringify(about, null, 2))
  renameSync(`${options.json}.${process.pid}`, options.json)
}
const said = `\`${command}\` printed this on ${intro}.`
const part = (list) => [said, ...list.map(markdown)].join('\n\n')
for (const document of options.write ?? [])
  writeParts(document, Object.fromEntries(markers().map((marker) => [marker, part(tablesOf(marker))])))
if (results.verified?.some((v) => !v.ok)) process.exitCode = 1
// onnxruntime's threads may outlive its sessions; a pipe gets all that was printed.
process.stdout.write('', () => process.exit())

/** What is measured. */
function kind() {
  return options.against
    ? { name: 'against', run: benchAgainst }
    : options.kernels
      ? { name: 'kernels', run: benchKernels }
      : options.blocks
        ? { name: 'blocks', run: benchBlocks }
        : { name: 'x86', run: benchModels }
}

/** The parts of a document that it fills. */
function markers() {
  const { name } = kind()
  return name === 'x86' ? ['bench:x86', 'bench:summary'] : [`bench:${name}`]
}

function tablesOf(marker) {
  return marker === 'bench:summary' ? [summaryTable(results)] : tables
}

/** Says what is wrong before the minutes that it takes, and in one line. */
async function measured() {
  try {
    for (const document of options.write ?? []) checkParts(document, markers())
    return await kind().run(options)
  } catch (error) {
    stopAll()
    console.error(`bench: ${error.message}`)
    process.exit(1)
  }
}
