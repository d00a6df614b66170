/** Weights in a file are read by the addon, when it packs them, and by nobody before. */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { InferenceSession } from '../../lib/index.js'
import { FLOAT, modelBytes, node, value } from '../helpers/model.js'

const SIDE = 512
let folder: string

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'octavo-weights-'))
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

test('a session from a path reads no weights in JavaScript', async () => {
  const path = join(folder, 'model.onnx')
  const rawData = new Uint8Array(Float32Array.from({ length: SIDE * SIDE }, (_, i) => i % 7).buffer)
  const dims = [BigInt(SIDE), BigInt(SIDE)]
  const weights = ['a', 'b', 'c'].map((name) => ({ name, dims, dataType: FLOAT, rawData }))
  fs.writeFileSync(
    path,
    modelBytes({
      name: 'products',
      input: [value('x', [1, SIDE])],
      output: [value('y', [1, SIDE])],
      initializer: weights,
      node: [
        node('MatMul', ['x', 'a'], ['p'], []),
        node('Relu', ['p'], ['q'], []),
        node('MatMul', ['q', 'b'], ['r'], []),
        node('MatMul', ['r', 'c'], ['y'], []),
      ],
    }),
  )
  const read = vi.spyOn(fs, 'readSync')
  const session = await InferenceSession.create(path)
  const bytes = read.mock.results.reduce((sum, { value }) => sum + (value as number), 0)
  read.mockRestore()
  await session.release()
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThan(SIDE * SIDE * 4)
})
