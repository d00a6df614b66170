/** What calibration data is warned of. */
import { describe, expect, it } from 'vitest'
import { SampleWatch } from '../../lib/calibrate/sample-watch.js'
import { Pace } from '../../lib/event-loop.js'

const tensor = (values: readonly number[], dims = [values.length]) =>
  ({ dtype: 'float32', dims, data: new Uint8Array(Float32Array.from(values).buffer) }) as const

async function warningsOf(samples: readonly Parameters<SampleWatch['add']>[0][]): Promise<string[]> {
  const watch = new SampleWatch()
  for (const sample of samples) await watch.add(sample, new Pace())
  return watch.warnings()
}

const varied = (count: number, reach = (_: number) => 1, elements = 256) =>
  Array.from({ length: count }, (_, i) => {
    return { x: tensor([reach(i), i / 100, ...Array<number>(elements - 2).fill(0)]) }
  })

describe('samples', () => {
  it('that are enough and vary are not warned of', async () => {
    expect(await warningsOf(varied(8))).toEqual([])
  })

  it('that are few', async () => {
    expect(await warningsOf(varied(7))).toEqual([
      'only 7 samples calibrate; expected at least 8 that vary as inputs do in use',
    ])
    expect(await warningsOf(varied(1))).toEqual([
      'only 1 sample calibrates; expected at least 8 that vary as inputs do in use',
    ])
  })

  it('count by rows where they are batches', async () => {
    const batch = tensor(
      Array.from({ length: 16 }, (_, i) => i / 16),
      [8, 2],
    )
    expect(await warningsOf([{ x: batch }])).toEqual([])
    expect(await warningsOf([{ x: batch, y: tensor([1, 2], [1, 2]) }])).toHaveLength(1)
  })

  it('that are all equal', async () => {
    const same = Array.from({ length: 9 }, () => ({ x: tensor([1, 2]) }))
    expect(await warningsOf(same)).toEqual([
      'all 9 samples are equal; expected samples that vary as inputs do in use',
    ])
    expect(await warningsOf([...same, { x: tensor([1, 3]) }])).toEqual([])
    expect(await warningsOf([...same, { x: tensor([1, 2], [1, 2]) }])).toEqual([])
  })

  it('whose ranges do not fit each other, but for silence and infinities', async () => {
    expect(await warningsOf(varied(8, (i) => (i === 3 ? 255 : 1)))).toEqual([
      "samples of input 'x' reach from 1 to 255, which is 255 times as far; expected all of them to be preprocessed alike",
    ])
    expect(await warningsOf(varied(8, (i) => (i === 3 ? 10 : 1)))).toEqual([])
    const silence = [0, Number.NEGATIVE_INFINITY, ...Array<number>(254).fill(0)]
    expect(await warningsOf([...varied(8), { x: tensor(silence) }])).toEqual([])
  })

  it('of few elements may reach as far as they like: rows of a table', async () => {
    expect(await warningsOf(varied(8, (i) => 10 ** i, 4))).toEqual([])
  })

  it('of integers have no range to compare', async () => {
    const ids = (n: number) =>
      ({ dtype: 'int64', dims: [1, 1], data: new Uint8Array(BigInt64Array.of(BigInt(n)).buffer) }) as const
    expect(await warningsOf(varied(8).map((s, i) => ({ ...s, ids: ids(i * 1000) })))).toEqual([])
  })
})
