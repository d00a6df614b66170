/** The program as a process: signals, pipes that close, an addon that does not load. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { floatTensor, modelBytes, node, value } from '../helpers/model.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
let folder = ''
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octavo-process-'))
  const model = modelBytes({
    name: 'g',
    input: [value('x', ['N', 8])],
    output: [value('y', ['N', 4])],
    initializer: [
      floatTensor(
        'w',
        [8, 4],
        Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      ),
    ],
    node: [node('MatMul', ['x', 'w'], ['y'], [], 'product')],
  })
  await writeFile(at('model.onnx'), model)
  await writeFile(
    at('endless.mjs'),
    `export default async function* () {
      for (let i = 0; ; ++i) {
        if (i === 3) console.error('under way')
        await new Promise((resolve) => setTimeout(resolve, 1))
        yield { x: { type: 'float32', dims: [1, 8], data: new Float32Array(8).fill(i % 7) } }
      }
    }`,
  )
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s during calibration leaves no file', async (signal) => {
  const before = await readdir(folder)
  const args = ['quantize', at('model.onnx'), '-o', at('q.onnx'), '--data', at('endless.mjs')]
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    if (!text.includes('under way') && (text + chunk).includes('under way')) child.kill(signal)
    text += chunk
  })
  const [code] = await once(child, 'close')
  expect([code, text]).toEqual([1, expect.stringContaining('octavo: stopped')])
  expect(await readdir(folder)).toEqual(before)
})

test('a reader that leaves early is no failure', async () => {
  const child = spawn(process.execPath, [main, 'inspect', at('model.onnx')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let text = ''
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  const [code] = await once(child, 'close')
  expect([code, text]).toEqual([0, ''])
})

test('doctor says why the addon does not load', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, 'doctor'], {
    encoding: 'utf8',
    env: { ...process.env, OCTAVO_BINARY: at('nosuch.node') },
  })
  expect(status).toBe(1)
  expect(stdout).toContain(process.version)
  expect(stdout).toContain(`${at('nosuch.node')}: not there`)
})

test.each([
  [['bench', 'model.onnx', '--shape', 'z=1,8'], "got 'z=1,8'"],
  [['quantize', 'model.onnx', '-o', './model.onnx', '--data', 'endless.mjs', '--force'], 'another file'],
])('%j is wrong usage', (args, message) => {
  const { status, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder })
  expect([status, stderr]).toEqual([2, expect.stringContaining(message)])
})

test('--verbose shows where an error comes from', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'inspect', at('nosuch.onnx'), ...args], { encoding: 'utf8' }).stderr
  expect(run().trimEnd().split('\n')).toHaveLength(1)
  expect(run('--verbose')).toMatch(/\n {4}at /)
})
