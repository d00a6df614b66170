/** The command line as it is installed: killed while it quantizes, asked for its own input, and watched by strace. */
import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bindingPath } from '../../lib/native/load.js'
import { node } from '../helpers/model.js'
import { bytesOf, constant, feed } from '../malformed/attempt.js'

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const env = { ...process.env, OCTAVO_BINARY: bindingPath() }
const SIZE = 256

const model = bytesOf({
  nodes: [node('MatMul', ['x', 'w'], ['m']), node('Relu', ['m'], ['y'])],
  feeds: { x: feed('float32', [1, SIZE], []) },
  initializers: [
    constant(
      'w',
      'float32',
      [SIZE, SIZE],
      Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 37) % 101) / 50 - 1),
    ),
  ],
})

let folder: string
let input: string
let output: string
let data: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavo-cli-'))
  input = join(folder, 'float.onnx')
  output = join(folder, 'int8.onnx')
  data = join(folder, 'data.mjs')
  writeFileSync(input, model)
  writeFileSync(
    data,
    `export default Array.from({ length: 4 }, (_, i) => ({
      x: { type: 'float32', dims: [1, ${SIZE}], data: new Float32Array(${SIZE}).fill(i / 4) } }))`,
  )
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const quantizeTo = (path: string, ...more: string[]) => [
  cli,
  'quantize',
  input,
  '--data',
  data,
  '-o',
  path,
  ...more,
]
const files = () => readdirSync(folder).sort()

describe.skipIf(!existsSync(cli))('octavo quantize', () => {
  test('gives the same bytes every time', () => {
    const first = spawnSync(process.execPath, quantizeTo(output), { env, encoding: 'utf8' })
    expect({ status: first.status, stderr: first.status === 0 ? '' : first.stderr }).toEqual({
      status: 0,
      stderr: '',
    })
    const bytes = readFileSync(output)
    expect(spawnSync(process.execPath, quantizeTo(output, '--force'), { env }).status).toBe(0)
    expect(readFileSync(output).equals(bytes)).toBe(true)
    expect(files()).toEqual(['data.mjs', 'float.onnx', 'int8.onnx'])
  })

  test('killed at any time leaves the old file or the new one', async () => {
    writeFileSync(output, 'old')
    for (let i = 0; i < 6; i++) {
      const child = spawn(process.execPath, quantizeTo(output, '--force'), { env, stdio: 'ignore' })
      // Listened for from the start: a fast machine is done before the kill.
      const ended = new Promise((resolve) => child.once('exit', resolve))
      await new Promise((resolve) => setTimeout(resolve, 150 + 70 * i))
      child.kill('SIGKILL')
      await ended
      const bytes = readFileSync(output)
      if (bytes.length !== 3) expect(bytes.length).toBeGreaterThan(SIZE * SIZE)
      expect(files().length).toBeLessThanOrEqual(4)
    }
    expect(spawnSync(process.execPath, quantizeTo(output, '--force'), { env }).status).toBe(0)
    expect(files()).toEqual(['data.mjs', 'float.onnx', 'int8.onnx'])
  })

  test('refuses to write over its own input, also by force', () => {
    symlinkSync(input, output)
    for (const path of [input, output]) {
      const { status, stderr } = spawnSync(process.execPath, quantizeTo(path, '--force'), {
        env,
        encoding: 'utf8',
      })
      expect(status).not.toBe(0)
      expect(stderr).toMatch(/expected another file than the model/)
    }
    expect(readFileSync(input).equals(Buffer.from(model))).toBe(true)
  })

  const strace = spawnSync('strace', ['-V']).status === 0
  test.skipIf(!strace)('opens no socket, and writes no file but its output', () => {
    const log = join(folder, 'strace.log')
    const calls =
      'openat,open,creat,socket,connect,bind,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,symlink'
    const args = ['-f', '-qq', '-o', log, '-e', `trace=${calls}`, process.execPath, ...quantizeTo(output)]
    const { status } = spawnSync('strace', args, { env, encoding: 'utf8' })
    expect(status).toBe(0)
    const lines = readFileSync(log, 'utf8').split('\n')
    expect(lines.filter((l) => /\b(socket|connect|bind)\(/.test(l) && !l.includes('AF_UNIX'))).toEqual([])
    const written = lines.filter((l) =>
      /O_WRONLY|O_RDWR|O_CREAT|\b(creat|mkdirat?|rename\w*|unlink\w*|link|symlink)\(/.test(l),
    )
    const elsewhere = written.filter(
      (l) => !l.includes(folder) && !/"\/dev\/(null|tty|pts|shm)/.test(l) && !/ENOENT|EACCES/.test(l),
    )
    expect(elsewhere).toEqual([])
  })
})
