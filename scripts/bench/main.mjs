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
  writeParts(
    document,
    options.against
      ? { 'bench:against': part(tables) }
      : options.kernels
        ? { 'bench:kernels': part(tables) }
        : { 'bench:x86': part(tables), 'bench:summary': part([summaryTable(results)]) },
  )
if (results.verified?.some((v) => !v.ok)) process.exitCode = 1
// onnxruntime's threads may outlive its sessions; a pipe gets all that was printed.
process.stdout.write('', () => process.exit())

/** Says what is wrong before the minutes that it takes, and in one line. */
async function measured() {
  try {
    const markers = options.against
      ? ['bench:against']
      : options.kernels
        ? ['bench:kernels']
        : ['bench:x86', 'bench:summary']
    for (const document of options.write ?? []) checkParts(document, markers)
    return await (options.against ? benchAgainst : options.kernels ? benchKernels : benchModels)(options)
  } catch (error) {
    stopAll()
    console.error(`bench: ${error.message}`)
    process.exit(1)
  }
}
