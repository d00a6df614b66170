/** Another session over the same file: the same bits, also after the file changed. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { symbol } from '../../lib/graph/expr.js'
import { tensorFromNumbers } from '../../lib/graph/tensor.js'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { writeModel } from '../../lib/onnx/index.js'
import { OpenFiles } from '../../lib/onnx/open-file.js'
import { findRecent } from '../../lib/session/recent.js'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavo-recent-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** y = x * w + b with weights of `width` columns, which are in the file where they are large. */
function model(width: number, value: number): Uint8Array {
  const w = Float32Array.from({ length: 64 * width }, (_, i) => value + (i % 7))
  return writeModel({
    graph: {
      name: 'product',
      inputs: ['x'],
      outputs: ['y'],
      nodes: [
        { name: 'mul', opType: 'MatMul', domain: '', inputs: ['x', 'w'], outputs: ['m'], attributes: {} },
        { name: 'add', opType: 'Add', domain: '', inputs: ['m', 'b'], outputs: ['y'], attributes: {} },
      ],
      constants: new Map([
        ['w', tensorFromNumbers('float32', [64, width], w)],
        ['b', tensorFromNumbers('float32', [width], new Float32Array(width).fill(value))],
      ]),
      types: new Map([['x', { dtype: 'float32', shape: [symbol('n'), 64] }]]),
      captures: [],
    },
    opset: 21,
    irVersion: 9,
    producer: '',
    metadata: {},
  })
}

/** Writes a file and waits until its times can tell it from a later one. */
async function write(path: string, bytes: Uint8Array): Promise<void> {
  writeFileSync(path, bytes)
  await sleep(2100)
}

async function isKept(path: string, options = {}): Promise<boolean> {
  const files = new OpenFiles()
  try {
    return (await findRecent(path, options, files))?.model !== undefined
  } finally {
    await files.close()
  }
}

async function run(path: string, options = {}): Promise<number[]> {
  const session = await InferenceSession.create(path, options)
  const x = new Tensor('float32', new Float32Array(64).fill(1), [1, 64])
  const { y } = session.runSync({ x })
  await session.release()
  return [...((y as Tensor).data as Float32Array)]
}

describe('sessions over one file', () => {
  for (const width of [8, 8192]) {
    const name = width > 8 ? 'weights in the file' : 'weights in memory'

    it(`${name}: every session computes the same`, async () => {
      const path = join(folder, `same${width}.onnx`)
      await write(path, model(width, 1))
      const first = await run(path)
      expect(first[0]).toBe(64 + [...Array(64).keys()].reduce((s, r) => s + ((r * width) % 7), 1))
      expect(await isKept(path)).toBe(true)
      expect(await run(path)).toEqual(first)
      expect(await isKept(path, { graphOptimizationLevel: 'disabled' })).toBe(false)
      expect(await run(path, { graphOptimizationLevel: 'disabled' })).toEqual(first)
      expect(await isKept(path, { freeDimensionOverrides: { n: 1 } })).toBe(false)
      expect(await run(path, { freeDimensionOverrides: { n: 1 } })).toEqual(first)
    })

    it(`${name}: a file that is written anew or replaced is read again`, async () => {
      const path = join(folder, `changed${width}.onnx`)
      await write(path, model(width, 1))
      const [first = 0] = await run(path)
      expect(await isKept(path)).toBe(true)
      writeFileSync(path, model(width, 2))
      expect((await run(path))[0]).toBe(first + 65)
      expect(await isKept(path), 'too new').toBe(false)
      const other = join(folder, `other${width}.onnx`)
      await write(other, model(width, 3))
      renameSync(other, path)
      expect((await run(path))[0]).toBe(first + 2 * 65)
    })
  }

  it('a file that is gone is an error, however recent its plan', async () => {
    const path = join(folder, 'gone.onnx')
    await write(path, model(8, 1))
    await run(path)
    rmSync(path)
    await expect(run(path)).rejects.toThrow(/File doesn't exist/)
  })
})
