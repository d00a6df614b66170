import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../../lib/calibrate/reservoir.js'
import { FORMATS, type Format, withBounds } from '../../../lib/graph/format.js'
import { nearestLevels } from '../../../lib/quantize/round/nearest.js'
import { weightScales, weightsOf } from '../../../lib/quantize/scales/weight-scales.js'

const NARROW = withBounds(FORMATS.int8, -127, 127)

describe('weights', () => {
  const random = mulberry32(2)
  const weights = Float32Array.from(
    { length: 4 * 3 * 9 },
    (_, i) => (random() - 0.5) * (1 + Math.floor(i / 27)),
  )
  const tensor = { dtype: 'float32' as const, dims: [4, 3, 3, 3], data: new Uint8Array(weights.buffer) }

  it('minmax scales are the largest magnitude of each channel', async () => {
    const scales = await weightScales(weightsOf(tensor, 0), 'minmax', NARROW, 'w')
    for (let c = 0; c < 4; ++c) {
      const largest = Math.max(...weights.subarray(27 * c, 27 * (c + 1)).map(Math.abs))
      expect(scales[c]).toBe(Math.fround(largest / 127))
    }
  })

  const formats: Format[] = [NARROW, FORMATS.int8, withBounds(FORMATS.int8, -64, 63)]
  it.each([0, 1, undefined].flatMap((axis) => formats.map((format) => ({ axis, format }))))(
    'mse is never worse than minmax; levels stay in [$format.qmin, $format.qmax] (axis $axis)',
    async ({ axis, format }) => {
      const view = weightsOf(tensor, axis)
      const errors = []
      for (const range of ['minmax', 'mse'] as const) {
        const scales = await weightScales(view, range, format, 'w')
        const levels = new Int8Array((await nearestLevels(view, scales, format)).buffer)
        expect(Math.min(...levels)).toBeGreaterThanOrEqual(format.qmin)
        expect(Math.max(...levels)).toBeLessThanOrEqual(format.qmax)
        let error = 0
        levels.forEach((q, i) => {
          const channel = axis === undefined ? 0 : Math.floor(i / (axis === 0 ? 27 : 9)) % view.channels
          error += (q * (scales[channel] as number) - (weights[i] as number)) ** 2
        })
        errors.push(error)
      }
      expect(errors[1]).toBeLessThanOrEqual(errors[0] as number)
    },
  )

  it('uint8 is int8 moved by 128', async () => {
    const view = weightsOf(tensor, 0)
    const scales = await weightScales(view, 'mse', NARROW, 'w')
    const moved = withBounds(FORMATS.uint8, 1, 255)
    expect(await weightScales(view, 'mse', moved, 'w')).toEqual(scales)
    const a = await nearestLevels(view, scales, NARROW)
    const b = await nearestLevels(view, scales, moved)
    expect([...new Int8Array(a.buffer)]).toEqual([...b].map((q) => q - 128))
  })

  it('the full range takes the level that only negative weights have', async () => {
    const values = Float32Array.of(-1.28, 1, -0.5, 1.27)
    const pair = { dtype: 'float32' as const, dims: [2, 2], data: new Uint8Array(values.buffer) }
    const scales = await weightScales(weightsOf(pair, 0), 'minmax', FORMATS.int8, 'w')
    expect([...scales]).toEqual([Math.fround(0.01), Math.fround(0.01)].map((s) => expect.closeTo(s, 8)))
    const levels = await nearestLevels(weightsOf(pair, 0), scales, FORMATS.int8)
    expect([...new Int8Array(levels.buffer)]).toEqual([-128, 100, -50, 127])
  })

  it('a channel of zeros has scale 1; NaN is named', async () => {
    const zeros = { ...tensor, data: new Uint8Array(tensor.data.length) }
    expect([...(await weightScales(weightsOf(zeros, 0), 'mse', NARROW, 'w'))]).toEqual([1, 1, 1, 1])
    const bad = weights.slice()
    bad[5] = Number.NaN
    const view = weightsOf({ ...tensor, data: new Uint8Array(bad.buffer) }, 0)
    await expect(weightScales(view, 'mse', NARROW, 'conv1.weight')).rejects.toThrow(/'conv1.weight' hold NaN/)
  })
})
