/** Files that are written are old or new, never between; and where they cannot be written, an error says why. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeFileAtomic } from '../../lib/files.js'
import { quantize, Tensor } from '../../lib/index.js'
import { node } from '../helpers/model.js'
import { bytesOf, constant, feed } from '../malformed/attempt.js'

const built = fileURLToPath(new URL('../../dist/files.js', import.meta.url))
const isBuilt = existsSync(built)
const isRoot = process.getuid?.() === 0
const SIZE = 32 << 20

let folder: string
let target: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavo-files-'))
  target = join(folder, 'out.onnx')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A process that writes \`SIZE\` bytes of one value over the target, again and again or once. */
function writer(value: number, times = 1): string[] {
  const script = `
    import { writeFileAtomic } from ${JSON.stringify(pathToFileURL(built).href)}
    process.stdout.write('on\\n')
    for (let i = 0; i < ${times}; i++)
      await writeFileAtomic(${JSON.stringify(target)}, new Uint8Array(${SIZE}).fill(${value}), { force: true })`
  return ['--input-type=module', '-e', script]
}

/** The one byte that all of the file has. */
function uniform(path: string): number {
  const bytes = readFileSync(path)
  expect(bytes.length).toBe(SIZE)
  expect(bytes.equals(Buffer.alloc(SIZE, bytes[0]))).toBe(true)
  return bytes[0] as number
}

const leftovers = () => readdirSync(folder).filter((name) => name !== 'out.onnx')

describe.skipIf(!isBuilt)('a process that is killed while it writes', () => {
  test('leaves the old file or a new one, and at most one other, which the next write removes', async () => {
    writeFileSync(target, new Uint8Array(SIZE).fill(1))
    for (let i = 0; i < 8; i++) {
      const child = spawn(process.execPath, writer(2 + i, 1000), { stdio: ['ignore', 'pipe', 'ignore'] })
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, 5 + 17 * i))
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
      expect(uniform(target)).toBeLessThanOrEqual(2 + i)
      expect(leftovers().length).toBeLessThanOrEqual(1)
    }
    await writeFileAtomic(target, 'new', { force: true })
    expect(readFileSync(target, 'utf8')).toBe('new')
    expect(leftovers()).toEqual([])
  })

  test('and one that writes the same file: the file is of one of them', async () => {
    const children = [1, 2].map((value) => spawn(process.execPath, writer(value, 5), { stdio: 'ignore' }))
    const codes = await Promise.all(children.map((c) => new Promise((resolve) => c.once('exit', resolve))))
    expect(codes).toEqual([0, 0])
    expect([1, 2]).toContain(uniform(target))
    expect(leftovers()).toEqual([])
  })
})

const prlimit = spawnSync('prlimit', ['--version']).status === 0

test.skipIf(!isBuilt || !prlimit)('a disk that is full leaves the old file, and nothing else', () => {
  writeFileSync(target, 'old')
  const args = [`--fsize=${1 << 20}`, process.execPath, ...writer(1)]
  const { status, stderr } = spawnSync('prlimit', args, { encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stderr).toMatch(/ERR_IO|EFBIG|too large/)
  expect(readFileSync(target, 'utf8')).toBe('old')
  expect(leftovers()).toEqual([])
})

describe('an output that cannot be written', () => {
  const io = (message: RegExp) => ({ code: 'ERR_IO', message: expect.stringMatching(message) })

  test('exists', async () => {
    writeFileSync(target, 'old')
    await expect(writeFileAtomic(target, 'new')).rejects.toMatchObject(io(/out\.onnx.*exists/))
    expect(readFileSync(target, 'utf8')).toBe('old')
  })

  test('is a folder', async () => {
    mkdirSync(target)
    await expect(writeFileAtomic(target, 'new', { force: true })).rejects.toMatchObject(
      io(/not a regular file/),
    )
  })

  test('is in no folder', async () => {
    const path = join(folder, 'none', 'out.onnx')
    await expect(writeFileAtomic(path, 'new')).rejects.toMatchObject(io(/folder.*none.*does not exist/))
  })

  test.skipIf(process.platform === 'win32')('is a pipe or a device', async () => {
    expect(spawnSync('mkfifo', [target]).status).toBe(0)
    await expect(writeFileAtomic(target, 'new', { force: true })).rejects.toMatchObject(
      io(/not a regular file/),
    )
    await expect(writeFileAtomic('/dev/full', 'new', { force: true })).rejects.toMatchObject(
      io(/not a regular file/),
    )
  })

  test.skipIf(isRoot)('is in a folder that is read-only', async () => {
    chmodSync(folder, 0o500)
    await expect(writeFileAtomic(target, 'new')).rejects.toMatchObject(io(/not writable/))
    chmodSync(folder, 0o700)
  })

  test('is aborted', async () => {
    writeFileSync(target, 'old')
    const options = { force: true, signal: AbortSignal.abort() }
    await expect(writeFileAtomic(target, 'new', options)).rejects.toMatchObject({ name: 'AbortError' })
    expect(readFileSync(target, 'utf8')).toBe('old')
    expect(leftovers()).toEqual([])
  })
})

test('a link stays a link: the file that it names is replaced', async () => {
  const real = join(folder, 'real.onnx')
  writeFileSync(real, 'old')
  symlinkSync(real, target)
  await writeFileAtomic(target, 'new', { force: true })
  expect(lstatSync(target).isSymbolicLink()).toBe(true)
  expect(readFileSync(real, 'utf8')).toBe('new')
})

test('the mode of a file that is replaced is kept', async () => {
  writeFileSync(target, 'old')
  chmodSync(target, 0o640)
  await writeFileAtomic(target, 'new', { force: true })
  expect(statSync(target).mode & 0o777).toBe(0o640)
})

test('a file that another live process is writing is left alone', async () => {
  const other = join(folder, `.out.onnx.octavo-${process.ppid}-000000000000`)
  const dead = join(folder, '.out.onnx.octavo-999999999-000000000000')
  writeFileSync(other, 'half')
  writeFileSync(dead, 'half')
  await writeFileAtomic(target, 'new')
  expect(existsSync(other)).toBe(true)
  expect(existsSync(dead)).toBe(false)
})

test('the same model, data and options give the same bytes', async () => {
  const weights = Array.from({ length: 64 * 64 }, (_, i) => Math.fround(((i * 37) % 101) / 50 - 1))
  const model = bytesOf({
    nodes: [node('MatMul', ['x', 'w'], ['m']), node('Relu', ['m'], ['y'])],
    feeds: { x: feed('float32', [1, 64], []) },
    initializers: [constant('w', 'float32', [64, 64], weights)],
  })
  const data = [
    {
      x: new Tensor(
        'float32',
        Float32Array.from({ length: 64 }, (_, i) => i / 64),
        [1, 64],
      ),
    },
  ]
  const [a, b] = [await quantize(model, { data }), await quantize(model, { data })]
  expect(Buffer.from(a.model).equals(Buffer.from(b.model))).toBe(true)
})
