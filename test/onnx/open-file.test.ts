/** Models read by path: large tensors stay in the file until they are packed. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { compileModel } from '../../lib/compile/model.js'
import { Pace } from '../../lib/event-loop.js'
import { ownedGraphs } from '../../lib/graph/subgraph.js'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { readModel } from '../../lib/onnx/index.js'
import { inMemory, OpenFiles } from '../../lib/onnx/open-file.js'
import { readSkeleton } from '../../lib/onnx/skeleton.js'
import { FLOAT, graph, INT64, int, modelBytes, node, value } from '../helpers/model.js'

const folder = mkdtempSync(join(tmpdir(), 'octavo-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SIZE = 600
const values = Float32Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 37) % 64) / 64 - 0.5)

function model(tensor: object): Uint8Array {
  return modelBytes({
    name: 'g',
    input: [value('x', [1, SIZE])],
    output: [value('y', [1, SIZE])],
    node: [node('MatMul', ['x', 'w'], ['y'], [], 'product')],
    initializer: [{ name: 'w', dims: [BigInt(SIZE), BigInt(SIZE)], dataType: FLOAT, ...tensor }],
  })
}

const whole = model({ rawData: new Uint8Array(values.buffer) })

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function outputOf(source: string | Uint8Array): Promise<unknown> {
  const session = await InferenceSession.create(source as string)
  const x = new Tensor(
    'float32',
    Float32Array.from({ length: SIZE }, (_, i) => i / SIZE),
    [1, SIZE],
  )
  const { y } = await session.run({ x })
  await session.release()
  return y?.data
}

test('a path and the bytes give the same', async () => {
  expect(await outputOf(file('whole.onnx', whole))).toEqual(await outputOf(whole))
})

test('the weights are not in what is read', async () => {
  const handle = await open(file('skeleton.onnx', whole))
  const skeleton = await readSkeleton(handle.fd, whole.length, new Pace())
  await handle.close()
  expect(skeleton?.bytes.length).toBeLessThan(1000)
  expect(skeleton?.ranges).toEqual([
    { fd: expect.anything(), offset: expect.anything(), length: values.byteLength },
  ])
  const [range] = skeleton?.ranges ?? []
  expect(whole.subarray(range?.offset).subarray(0, 16)).toEqual(new Uint8Array(values.buffer, 0, 16))
})

test('external data gives the same', async () => {
  file('weights.bin', new Uint8Array(values.buffer))
  const path = file(
    'external.onnx',
    model({ dataLocation: 1, externalData: [{ key: 'location', value: 'weights.bin' }] }),
  )
  expect(await outputOf(path)).toEqual(await outputOf(whole))
})

test('a file that ends within its weights', async () => {
  const path = file('short.onnx', whole.subarray(0, whole.length - 5000))
  await expect(InferenceSession.create(path)).rejects.toMatchObject({ code: 'ERR_MODEL_PARSE' })
})

test('a file that is cut while the model is compiled', async () => {
  const path = file('cut.onnx', whole)
  const files = new OpenFiles()
  const read = await readModel(path, { files })
  truncateSync(path, 4000)
  await expect(compileModel(read)).rejects.toMatchObject({ code: 'ERR_IO' })
  expect(() => read.graph.constants.get('w')?.data).toThrow(/ended early/)
  await files.close()
})

test('a file that is no model', async () => {
  for (const fill of [0, 0x3a, 0xff]) {
    const path = file('none.onnx', new Uint8Array(2 ** 20 + 5).fill(fill))
    await expect(InferenceSession.create(path)).rejects.toMatchObject({ code: 'ERR_MODEL_PARSE' })
  }
})

test('weights that branches capture are in memory once, for sizes that come when the file is closed', async () => {
  const branch = (name: string, op: string) => ({
    name,
    output: [value(`${name}_y`)],
    node: [
      node('MatMul', ['x', 'w'], [`${name}_p`]),
      node(op, op === 'Squeeze' ? [`${name}_p`, 'axis'] : [`${name}_p`], [`${name}_y`]),
    ],
  })
  const bytes = modelBytes({
    name: 'g',
    input: [value('x', ['n', SIZE])],
    output: [value('y')],
    node: [
      node('Shape', ['x'], ['rows'], [int('start', 0), int('end', 1)]),
      node('Equal', ['rows', 'one'], ['single']),
      node(
        'If',
        ['single'],
        ['y'],
        [graph('then_branch', branch('a', 'Squeeze')), graph('else_branch', branch('b', 'Identity'))],
      ),
    ],
    initializer: [
      {
        name: 'w',
        dims: [BigInt(SIZE), BigInt(SIZE)],
        dataType: FLOAT,
        rawData: new Uint8Array(values.buffer),
      },
      { name: 'one', dims: [1n], dataType: INT64, int64Data: [1n] },
      { name: 'axis', dims: [1n], dataType: INT64, int64Data: [0n] },
    ],
  })
  const expected = await outputOf(whole)
  expect(await outputOf(file('branches.onnx', bytes))).toEqual(expected)
  const files = new OpenFiles()
  const held = inMemory((await readModel(file('held.onnx', bytes), { files })).graph)
  await files.close()
  const branches = held.nodes.flatMap((n) => ownedGraphs(n).map(([, g]) => g.constants.get('w')))
  expect(branches).toHaveLength(2)
  expect(branches[0]?.data.byteLength).toBe(values.byteLength)
  expect(branches[0]).toBe(branches[1])
})
