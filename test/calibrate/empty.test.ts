/** Batches of size 0 are no samples. */
import { describe, expect, it } from 'vitest'
import { isEmptyBatch } from '../../lib/calibrate/feeds.js'
import { symbol } from '../../lib/graph/expr.js'
import { compare, quantize, Tensor } from '../../lib/index.js'
import { fileOf } from '../quantize/model.js'
import { samples, squeezing } from './open-graphs.js'

const empty = { x: new Tensor('float32', new Float32Array(0), [0, 8]) }
const some = samples([1, 3, 2, 1, 4])

describe('a batch of size 0', () => {
  it('is skipped: the result is that of the other samples', async () => {
    const model = fileOf(squeezing())
    const without = await quantize(model, { data: some })
    const data = [empty, ...some.slice(0, 2), empty, ...some.slice(2)]
    const { model: file, report } = await quantize(model, { data })
    expect(Buffer.compare(file, without.model)).toBe(0)
    expect(report.samples).toBe(some.length)
    expect((await compare(model, file, { data })).samples).toBe(some.length)
  })

  it('alone is an error that says so', async () => {
    const failing = quantize(fileOf(squeezing()), { data: [empty, empty] })
    await expect(failing).rejects.toMatchObject({ code: 'ERR_CALIBRATION_DATA' })
    await expect(failing).rejects.toThrow(/2 batches of size 0 and no samples|gave no samples/)
  })
})

describe('isEmptyBatch', () => {
  const n = symbol('n')
  const input = (name: string, ...shape: (number | typeof n)[]) =>
    ({ name, type: { dtype: 'float32', shape } }) as const

  it('asks the inputs of open sizes alone', () => {
    const inputs = [input('x', n, 4), input('weights', 3)]
    expect(isEmptyBatch({ x: { dims: [0, 4] }, weights: { dims: [3] } }, inputs)).toBe(true)
    expect(isEmptyBatch({ x: { dims: [1, 4] }, weights: { dims: [3] } }, inputs)).toBe(false)
  })

  it('is not a cache that is empty at first', () => {
    const inputs = [input('ids', 1, n), input('past', 1, n, 8)]
    expect(isEmptyBatch({ ids: { dims: [1, 5] }, past: { dims: [1, 0, 8] } }, inputs)).toBe(false)
  })

  it('is nothing without open sizes', () => {
    expect(isEmptyBatch({ x: { dims: [4] } }, [input('x', 4)])).toBe(false)
  })
})
