// Accuracy on labelled data: the float model, Octavo's int8 model in Octavo and in onnxruntime-node, and the int8 model that
// onnxruntime's own quantizer makes with its defaults.
//
//   npm run accuracy -- [--models REGEX] [--samples N] [--options JSON] [--json]
//
// OCTAVO_DATA: folder with tarballs of npm packages that hold data; OCTAVO_ORT: folder whose node_modules has onnxruntime-node;
// OCTAVO_PYTHON: a Python with onnxruntime and onnx. What is absent is skipped with a word.
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { env, quantize, Tensor } from '../dist/index.js'
import { cifarTasks } from './accuracy/cifar.mjs'
import { digitTasks } from './accuracy/digits.mjs'
import { octavoEngine, onnxruntimeEngine } from './accuracy/engines.mjs'
import { evaluate, paired, percent } from './accuracy/evaluate.mjs'
import { imagenetTasks } from './accuracy/imagenet.mjs'
import { keywordTasks } from './accuracy/keywords.mjs'
import { lineTasks } from './accuracy/lines.mjs'
import { onnxruntimeQuantizer } from './accuracy/onnxruntime-quantizer.mjs'
import { Missing } from './accuracy/packages.mjs'

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '.' },
    samples: { type: 'string' },
    options: { type: 'string', default: '{}' },
    json: { type: 'boolean', default: false },
  },
})
const tasks = [...cifarTasks, ...imagenetTasks, ...keywordTasks, ...digitTasks, ...lineTasks]
const say = options.json ? () => {} : console.log

const ort = onnxruntimeEngine()
const reference = ort && onnxruntimeQuantizer()
const skipped = []
if (!ort) skipped.push('onnxruntime-node: not installed (set OCTAVO_ORT)')
if (!reference)
  skipped.push(
    "onnxruntime's quantizer: needs onnxruntime-node and a Python with onnxruntime (set OCTAVO_PYTHON)",
  )
say(
  `Octavo ${octavoEngine.version} (${env.isa}), Node ${process.versions.node}, onnxruntime-node ${ort?.version ?? 'absent'}, ` +
    `onnxruntime in Python ${reference?.version ?? 'absent'}`,
)

const rows = []
for (const task of tasks.filter(({ name }) => new RegExp(options.models).test(name))) {
  try {
    rows.push(await measure(task, await task.load()))
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    skipped.push(`${task.name}: ${error.message}`)
  }
}
if (options.json) console.log(JSON.stringify({ rows, skipped }, null, 2))
else print()
process.exitCode = rows.some((row) => row.verdict === 'missed') ? 1 : 0

async function measure({ name, score, goal }, data) {
  const test = options.samples ? data.test.slice(0, Number(options.samples)) : data.test
  const float = await evaluate(octavoEngine, data.model, data, test)
  const { input, release } = await octavoEngine.open(data.model)
  await release()
  const started = performance.now()
  const { model, report } = await quantize(data.model, {
    ...JSON.parse(options.options),
    data: feeds(input, data.calibration),
  })
  const seconds = (performance.now() - started) / 1000
  const int8 = await evaluate(octavoEngine, model, data, test)
  const inOrt = ort && (await evaluate(ort, model, data, test))
  const theirs = reference && (await quantizedByReference(input, data, test))
  const row = {
    name,
    score,
    goal,
    tested: test.length,
    calibrated: report.samples,
    seconds,
    float: percent(float),
    octavo: column(int8, float),
    onnxruntime: inOrt && column(inOrt, float),
    reference: theirs && (theirs.error ? theirs : column(theirs, float)),
  }
  row.verdict = verdict(row)
  say(`${name}: float ${row.float.toFixed(2)}, int8 ${cell(row.octavo)} (${row.verdict})`)
  return row
}

/** Streamed: a sample is made when it is asked for. */
function* feeds(input, calibration) {
  for (const make of calibration) {
    const { dims, data } = make()
    yield { [input]: new Tensor('float32', data, dims) }
  }
}

async function quantizedByReference(input, data, test) {
  try {
    return await evaluate(ort, await reference.quantize(data.model, input, data.calibration), data, test)
  } catch (error) {
    return {
      error: String(error.stderr ?? error.message)
        .trim()
        .split('\n')
        .at(-1),
    }
  }
}

function column(results, float) {
  const { mean, error } = paired(results, float)
  return { score: percent(results), difference: mean, error }
}

/** Missed: below the goal by more than the standard error of the difference. */
function verdict({ goal, octavo }) {
  const { score, difference, error } = octavo
  if (goal.least !== undefined) return score >= goal.least ? `at least ${goal.least}` : 'missed'
  if (goal.loss === undefined) return 'no goal'
  return -difference <= goal.loss + error ? `loses at most ${goal.loss}` : 'missed'
}

function cell(value) {
  if (!value) return 'skipped'
  if (value.error !== undefined && value.score === undefined) return `failed: ${value.error.slice(0, 60)}`
  const sign = value.difference < 0 ? '-' : '+'
  return `${value.score.toFixed(2)} (${sign}${Math.abs(value.difference).toFixed(2)} ± ${value.error.toFixed(2)})`
}

function print() {
  const head = [
    'model',
    'tested',
    'float %',
    'int8 in Octavo',
    'same file in onnxruntime',
    'onnxruntime quantizer',
    'quantize',
    'goal',
  ]
  const table = new Table({ head, style: { head: [], border: [] } })
  for (const row of rows) {
    table.push([
      row.name,
      `${row.tested} (${row.score})`,
      row.float.toFixed(2),
      cell(row.octavo),
      cell(row.onnxruntime),
      cell(row.reference),
      `${row.seconds.toFixed(1)} s, ${row.calibrated} samples`,
      row.verdict,
    ])
  }
  console.log(table.toString())
  console.log('In brackets: difference to float in points, with its paired standard error.')
  for (const why of skipped) console.log(`skipped: ${why}`)
}
