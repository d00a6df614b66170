// npm run field: model files that people publish, quantized with default options. --help says the rest.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { onnxruntimeQuantizer } from '../accuracy/onnxruntime-quantizer.mjs'
import { checkParts, markdownTable, writePart } from '../bench/document.mjs'
import { describeMachine } from '../bench/machine.mjs'
import { stopAll } from '../bench/processes.mjs'
import { Progress } from '../bench/progress.mjs'
import { markdown, terminal } from '../bench/table.mjs'
import { peerFolder } from '../onnxruntime.mjs'
import { fromJson, toJson } from './json.mjs'
import { parseOptions } from './options.mjs'
import { PINS } from './pins.mjs'
import { measureAll } from './run.mjs'
import { tables, targetLines } from './table.mjs'
import { targets } from './targets.mjs'

const options = parseOptions(process.argv.slice(2))
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    stop.abort()
    stopAll()
    process.exit(signal === 'SIGINT' ? 130 : 143)
  })

const models = options.only
if (options.list) list()
else await measure()

function list() {
  const rows = models.map(({ name, domain, pin, how }) => [
    name,
    domain,
    `${PINS[pin].registry} ${PINS[pin].name}`,
    how,
  ])
  console.log(markdownTable(['model', 'domain', 'package', 'inputs'], rows))
}

async function measure() {
  if (options.write) checkParts(options.write, ['field'])
  const progress = new Progress(models.length, 'field')
  const quantizer = options.quantizer ? onnxruntimeQuantizer()?.version : undefined
  if (!peerFolder()) progress.note('onnxruntime-node is not there: Octavo alone')
  if (!quantizer) progress.note("without onnxruntime's quantizer")
  const { rows, skipped } = await measureAll(models, {
    ...options,
    quantizer,
    signal: stop.signal,
    progress,
    known: options.resume ? knownRows() : [],
    onRow: keep,
  })
  progress.end()
  const machine = describeMachine()
  const command = `npm run field${['', ...process.argv.slice(2)].join(' ').replace(/^ /, ' -- ')}`
  const intro = `\`${command}\` printed this on ${machine.cpu}, kernels ${machine.isa}, Node ${machine.node}, Octavo ${machine.octavo}; ${new Date().toISOString().slice(0, 10)}.`
  const lines = targetLines(targets(rows))
  const left = skipped.map(({ name, why }) => `${name} skipped: ${why}`)
  const counted = `${rows.length} files measured, ${skipped.length} skipped.`
  if (options.json === '-') process.stdout.write(`${toJson({ rows, skipped }, 2)}\n`)
  else
    console.log([intro, ...tables(rows).map(terminal), [counted, ...left, ...lines].join('\n')].join('\n\n'))
  const bullets = [counted, ...left, ...lines].map((text) => `- ${text}`).join('\n')
  if (options.write)
    writePart(options.write, 'field', [intro, bullets, ...tables(rows).map(markdown)].join('\n\n'))
}

function isFile() {
  return options.json !== undefined && options.json !== '-'
}

/** After each model, so that a run that is stopped can be resumed. */
function keep(found) {
  if (!isFile()) return
  writeFileSync(`${options.json}.${process.pid}`, toJson(found, 2))
  renameSync(`${options.json}.${process.pid}`, options.json)
}

function knownRows() {
  return isFile() && existsSync(options.json) ? fromJson(readFileSync(options.json, 'utf8')).rows : []
}
