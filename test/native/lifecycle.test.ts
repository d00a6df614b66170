/** Processes and workers that end while the addon is at work: no crash, no hang, the exit code they asked for. */
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { symbol } from '../../lib/graph/expr.js'
import { bindingPath } from '../../lib/native/load.js'
import { encodePlan } from '../../lib/plan/encode.js'
import type { Plan } from '../../lib/plan/plan.js'

const n = symbol('n')

/** A hundred concatenations in a row, each a column wider. */
function slowPlan(): Plan {
  const tensors: Plan['tensors'][number][] = [{ name: 'x', dtype: 'float32', dims: [n], kind: 'input' }]
  const steps: Plan['steps'][number][] = []
  for (let i = 1; i <= 100; i++) {
    tensors.push({
      name: `y${i}`,
      dtype: 'float32',
      dims: [n, i + 1],
      kind: i === 100 ? 'output' : 'scratch',
    })
    const before = i === 1 ? 101 : i - 1
    steps.push({
      op: 'Concat',
      inputs: [before, 101],
      outputs: [i],
      attributes: { axis: { kind: 'ints', value: [1] } },
      nodes: [],
      kind: 'data',
    })
  }
  tensors.push({ name: 'column', dtype: 'float32', dims: [n, 1], kind: 'alias', of: 0 })
  return { symbols: [{ name: 'n', source: { kind: 'input' } }], tensors, inputs: [0], outputs: [100], steps }
}

/** Runs a script in a process of its own; `start()` there loads the model and keeps runs under way. */
function run(body: string) {
  const { words, buffers } = encodePlan(slowPlan())
  const script = `
    const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
    const path = ${JSON.stringify(bindingPath())}
    const words = Int32Array.from(${JSON.stringify([...words])})
    const buffers = ${JSON.stringify(buffers)}
    const rows = 20000
    async function start() {
      const model = await require(path).load(words, buffers, { threads: 2 })
      const once = () => model.run([new Uint8Array(rows * 4)], Float64Array.of(1, 1, rows), [0])
      for (let i = 0; i < 8; i++) once()
      return { model, once }
    }
    ${body}
  `
  const result = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 60_000 })
  return { status: result.status, signal: result.signal, stdout: result.stdout.trim(), stderr: result.stderr }
}

const worker = (code: string) => `
  const source = [
    'const { parentPort } = require("node:worker_threads")',
    'const path = ' + JSON.stringify(path),
    'const words = Int32Array.from(' + JSON.stringify([...words]) + ')',
    'const buffers = [], rows = ' + rows,
    start.toString(),
    ${JSON.stringify(code)},
  ].join('\\n')
  const make = () => new Worker(source, { eval: true })
`

describe('the process ends cleanly', () => {
  test('when it exits during runs', () => {
    expect(run('start().then(() => process.exit(7))')).toMatchObject({ status: 7, signal: null })
  })

  test('when all is done: nothing keeps it alive', () => {
    const { status, stdout } = run(
      'start().then(({ once }) => once()).then((results) => console.log(results.slice(1).join()))',
    )
    expect({ status, stdout }).toEqual({ status: 0, stdout: '1,2,20000,101' })
  })

  test('when a worker is terminated during runs, twenty times', () => {
    const body = `${worker("start().then(() => parentPort.postMessage('on'))")}
      ;(async () => {
        for (let i = 0; i < 20; i++) {
          const w = make()
          await new Promise((resolve, reject) => { w.once('message', resolve); w.once('error', reject) })
          await w.terminate()
        }
        console.log('done')
      })()`
    expect(run(body)).toMatchObject({ status: 0, signal: null, stdout: 'done' })
  })

  test('when only a worker loaded the addon, and ends', () => {
    const body = `${worker('start().then(({ once }) => once()).then(() => process.exit(0))')}
      make().on('exit', (code) => console.log('exit', code))`
    expect(run(body)).toMatchObject({ status: 0, signal: null, stdout: 'exit 0' })
  })

  test('when the module is loaded twice', () => {
    const body = `
      const first = require(path)
      delete require.cache[path]
      const second = require(path)
      Promise.all([first, second].map((b) => b.load(words, buffers, {}))).then((models) => console.log(models.length))`
    expect(run(body)).toMatchObject({ status: 0, stdout: '2' })
  })

  test('when models are left to the garbage collector', () => {
    const body = `(async () => {
      for (let i = 0; i < 200; i++) await require(path).load(words, buffers, {})
      console.log('done')
    })()`
    expect(run(body)).toMatchObject({ status: 0, stdout: 'done' })
  })

  test('when OCTAVO_ISA names something unknown: an error that tells', () => {
    const result = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(bindingPath())})`], {
      encoding: 'utf8',
      env: { ...process.env, OCTAVO_ISA: 'abacus' },
    })
    expect(result.stderr).toContain('OCTAVO_ISA=abacus: expected one of')
  })
})
