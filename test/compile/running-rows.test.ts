/** Rows that are quantized by their own range, as the quantizer writes them: one step and one product, with the bits of separate steps. */
import { describe, expect, test } from 'vitest'
import { explain, InferenceSession, Tensor } from '../../lib/index.js'
import { elements, type RunningFile, runningFile } from '../helpers/running.js'
import { reference } from '../models/reference.js'

const rows = (symmetric: boolean) => ({ per: 'row', symmetric }) as const
const attention = [
  { w: [16, 5], scales: 5, bias: [5] },
  { w: [16, 33], scales: 1 },
]

const cases: readonly [string, RunningFile, integer: number][] = [
  ['rows with zero points', { x: [2, 's', 16], products: attention, how: rows(false) }, 2],
  ['symmetric rows', { x: [2, 's', 16], products: attention, how: rows(true) }, 2],
  ['one matrix', { x: ['s', 67], products: [{ w: [67, 9], scales: 9, bias: [9] }], how: rows(false) }, 1],
  ['one column', { x: ['s', 67], products: [{ w: [67, 1], scales: 1 }], how: rows(false) }, 1],
  [
    'Conv of a tensor',
    {
      x: [1, 3, 's', 9],
      products: [{ w: [5, 3, 3, 3], scales: 5, bias: [5, 1, 1] }],
      how: { per: 'tensor', symmetric: false },
      conv: { pads: { kind: 'ints', value: [1, 1, 1, 1] } },
    },
    1,
  ],
  ['a tensor', { x: [2, 's', 16], products: attention, how: { per: 'tensor', symmetric: false } }, 2],
]

/** Rows of other sizes, signs and of zeros. */
function feed(file: RunningFile, s: number): { data: Float32Array; dims: number[] } {
  const dims = file.x.map((d) => (typeof d === 'number' ? d : s))
  const k = dims.at(-1) as number
  const value = (i: number) => {
    const row = Math.floor(i / k)
    const v = (((i * 37 + row * 11) % 101) - 50) * 0.013 * (row + 1)
    return row % 5 === 0 ? Math.abs(v) : row % 5 === 1 ? -Math.abs(v) : row % 5 === 2 ? 0 : v
  }
  return { data: Float32Array.from({ length: elements(dims) }, (_, i) => value(i)), dims }
}

describe.each(cases)('%s', (_, file, integer) => {
  const bytes = runningFile(file)

  test('one step for the rows, one for each product', async () => {
    const { steps } = await explain(bytes)
    expect(steps).toMatchObject({ integer })
    expect(steps.float + steps.convert).toBe(1)
  })

  test('the bits of separate steps', async () => {
    await using fused = await InferenceSession.create(bytes)
    await using separate = await InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' })
    for (const s of [1, 5, 21]) {
      const { data, dims } = feed(file, s)
      const feeds = { x: new Tensor('float32', data, dims) }
      const [got, want] = [await fused.run(feeds), await separate.run(feeds)]
      for (const name of fused.outputNames) expect(got[name]?.data).toEqual(want[name]?.data)
    }
  })

  test.skipIf(!reference)('what onnxruntime gives', async () => {
    if (!reference) return
    await using ours = await InferenceSession.create(bytes)
    const theirs = await reference.InferenceSession.create(bytes)
    for (const s of [1, 5, 21]) {
      const { data, dims } = feed(file, s)
      const got = await ours.run({ x: new Tensor('float32', data, dims) })
      const want = await theirs.run({ x: new reference.Tensor('float32', data, dims) })
      for (const name of ours.outputNames) expect(got[name]?.data).toEqual(want[name]?.data)
    }
  })
})
