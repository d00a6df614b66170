/** States in files: written whole, read back to the bit, by name. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { compileGraph } from '../../lib/compile/run/engine.js'
import { StateStore, type StateValue } from '../../lib/compile/run/state-store.js'
import { readNpz } from '../../lib/data/npy.js'
import { loadStates, saveStates } from '../../lib/data/state-file.js'
import { parseGraph } from '../helpers/graph-text.js'

const folder = mkdtempSync(join(tmpdir(), 'octavo-states-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, name)

const PROGRAM = `
  graph g (x: float32[2, 2]) -> (y: float32[2, 2], m: bool[3], c: float32[0])
    one: int64[] = 1
    state layer/w: float32[2, 2] = 1 2 3 4 <- y
    state steps: int64[] = 7 <- more
    state mask: bool[3] = 1 0 1
    state codes: int8[0]
    y = Add(layer/w, x)
    more = Add(steps, one)
    m = Not(mask)
    c = Cast(codes) {to=1}
`

async function storeOf(text = PROGRAM): Promise<{ store: StateStore; run: () => Promise<unknown> }> {
  const store = new StateStore()
  const engine = await compileGraph(parseGraph(text), { states: store })
  const data = new Uint8Array(Float32Array.of(0.1, 0.2, 0.3, 0.4).buffer)
  return { store, run: () => engine.run({ x: { dtype: 'float32', dims: [2, 2], data } }) }
}

const bytesOf = (values: Record<string, StateValue>) =>
  Object.entries(values).map(([name, { dtype, dims, data }]) => [
    name,
    dtype,
    dims,
    Buffer.from(data).toString('hex'),
  ])

test('what was saved comes back to the bit, whatever happened in between', async () => {
  const { store, run } = await storeOf()
  await run()
  const saved = bytesOf(store.read())
  await saveStates(store, file('a.npz'))
  await run()
  expect(bytesOf(store.read())).not.toEqual(saved)
  await loadStates(store, file('a.npz'))
  expect(bytesOf(store.read())).toEqual(saved)
  await run()
  const later = bytesOf(store.read())
  const other = await storeOf()
  await loadStates(other.store, file('a.npz'))
  await other.run()
  expect(bytesOf(other.store.read())).toEqual(later)
})

test('the file is a .npz with an array for each state, the same bytes for the same values', async () => {
  const { store } = await storeOf()
  await saveStates(store, file('b.npz'))
  const arrays = await readNpz(file('b.npz'))
  expect(Object.keys(arrays)).toEqual(['codes', 'layer/w', 'mask', 'steps'])
  expect(arrays['layer/w']).toMatchObject({
    type: 'float32',
    dims: [2, 2],
    data: Float32Array.of(1, 2, 3, 4),
  })
  expect(arrays.steps).toMatchObject({ type: 'int64', dims: [], data: BigInt64Array.of(7n) })
  expect(arrays.mask).toMatchObject({ type: 'bool', dims: [3] })
  const first = readFileSync(file('b.npz'))
  await saveStates(store, file('b.npz'))
  expect(readFileSync(file('b.npz')).equals(first)).toBe(true)
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
})

test('some of the states by their names; a file may have more than a program needs', async () => {
  const { store, run } = await storeOf()
  await run()
  await saveStates(store, file('c.npz'))
  const weights = (
    await storeOf('graph e () -> (y: float32[2, 2])\n  state layer/w: float32[2, 2]\n  y = Neg(layer/w)')
  ).store
  await loadStates(weights, file('c.npz'))
  expect(bytesOf(weights.read())).toEqual(bytesOf(store.read(['layer/w'])))
  await saveStates(store, file('d.npz'), { names: ['steps'] })
  expect(Object.keys(await readNpz(file('d.npz')))).toEqual(['steps'])
  await expect(saveStates(store, file('d.npz'), { names: ['nobody'] })).rejects.toMatchObject({
    code: 'ERR_OUT_OF_RANGE',
  })
})

test('a file that does not fit changes nothing, and says what is wrong', async () => {
  const { store } = await storeOf()
  const before = bytesOf(store.read())
  await saveStates(store, file('e.npz'), { names: ['steps', 'mask'] })
  await expect(loadStates(store, file('e.npz'))).rejects.toThrow(/expected an array 'codes', there is none/)
  const other = await storeOf(
    PROGRAM.replaceAll('[2, 2]', '[4]')
      .replace('x: float32[4]', 'x: float32[2, 2]')
      .replace(
        'y = Add(layer/w, x)',
        'four: int64[1] = 4\n    flat = Reshape(x, four)\n    y = Add(layer/w, flat)',
      ),
  )
  await saveStates(other.store, file('f.npz'))
  await expect(loadStates(store, file('f.npz'))).rejects.toMatchObject({
    code: 'ERR_SHAPE_MISMATCH',
    message: "state 'layer/w' is float32[2, 2], got float32[4]",
  })
  writeFileSync(file('g.npz'), 'no archive at all, only text')
  await expect(loadStates(store, file('g.npz'))).rejects.toMatchObject({ code: 'ERR_CALIBRATION_DATA' })
  await expect(loadStates(store, file('none.npz'))).rejects.toMatchObject({ code: 'ERR_IO' })
  expect(bytesOf(store.read())).toEqual(before)
})
