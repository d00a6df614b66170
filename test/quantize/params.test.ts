import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { Pace } from '../../lib/event-loop.js'
import {
  biasGuard,
  fixedParams,
  MIN_SCALE,
  paramsOf,
  quantizeBias,
  rangeOf,
  roundHalfEven,
} from '../../lib/quantize/params.js'
import { excluder, parseRecipe } from '../../lib/quantize/recipe.js'
import { channelView, quantizeWeights, weightScales } from '../../lib/quantize/weights.js'

describe('paramsOf', () => {
  it.each([
    [[-1, 2], 'int8', -43],
    [[0, 6], 'int8', -128],
    [[2, 6], 'int8', -128],
    [[-6, -2], 'int8', 127],
    [[0, 6], 'uint8', 0],
    [[-6, 0], 'uint8', 255],
  ] as const)('%j as %s has zero point %d', (range, dtype, zeroPoint) => {
    expect(paramsOf(range, dtype, false).zeroPoint).toBe(zeroPoint)
  })

  it('scales are float32 and the range is covered but for rounding', () => {
    const random = mulberry32(1)
    for (let i = 0; i < 1000; ++i) {
      const [a, b] = [(random() - 0.7) * 10 ** (6 * random() - 3), random() * 10 ** (6 * random() - 3)]
      const p = paramsOf([a, b], 'int8', false)
      expect(Math.fround(p.scale)).toBe(p.scale)
      const [low, high] = rangeOf(p)
      expect(low).toBeLessThanOrEqual(Math.min(0, a) + p.scale * 0.501)
      expect(high).toBeGreaterThanOrEqual(b - p.scale * 0.501)
      expect(Number.isInteger(p.zeroPoint)).toBe(true)
    }
  })

  it('symmetric ranges have their zero in the middle', () => {
    expect(paramsOf([-1, 12.7], 'int8', true)).toEqual({
      dtype: 'int8',
      scale: Math.fround(12.7 / 127),
      zeroPoint: 0,
    })
    expect(paramsOf([-1, 2], 'uint8', true).zeroPoint).toBe(128)
  })

  it('empty, tiny and huge ranges have finite positive scales whose products are normal', () => {
    expect(paramsOf([0, 0], 'int8', false).scale).toBe(1)
    expect(paramsOf([0, 1e-44], 'int8', false).scale).toBe(MIN_SCALE)
    expect(Math.fround(MIN_SCALE * MIN_SCALE)).toBeGreaterThan(2 ** -127)
    const huge = paramsOf([-3.4e38, 3.4e38], 'int8', false).scale
    expect(Number.isFinite(Math.fround(huge))).toBe(true)
  })

  it('functions of a fixed range step by a power of two', () => {
    expect(fixedParams([0, 1], 'int8')).toEqual({ dtype: 'int8', scale: 1 / 256, zeroPoint: -128 })
    expect(fixedParams([0, 1], 'uint8')).toEqual({ dtype: 'uint8', scale: 1 / 256, zeroPoint: 0 })
    expect(fixedParams([-1, 1], 'int8')).toEqual({ dtype: 'int8', scale: 1 / 128, zeroPoint: 0 })
  })
})

describe('biases', () => {
  it('round half to even and saturate', () => {
    expect([0.5, 1.5, -0.5, -1.5, 2.4].map((x) => roundHalfEven(x) + 0)).toEqual([0, 2, 0, -2, 2])
    expect(quantizeBias(1e30, 1e-9)).toBe(2 ** 31 - 1)
    expect(quantizeBias(-1e30, 1e-9)).toBe(-(2 ** 31 - 1))
  })

  it('the guard leaves room in int32', () => {
    const inputScale = 0.01
    const scale = biasGuard(-5, inputScale)
    expect(Math.abs(quantizeBias(-5, scale * inputScale))).toBeLessThanOrEqual(2 ** 30)
  })
})

describe('weights', () => {
  const random = mulberry32(2)
  const weights = Float32Array.from(
    { length: 4 * 3 * 9 },
    (_, i) => (random() - 0.5) * (1 + Math.floor(i / 27)),
  )
  const tensor = { dtype: 'float32' as const, dims: [4, 3, 3, 3], data: new Uint8Array(weights.buffer) }
  const pace = new Pace()

  it('minmax scales are the largest magnitude of each channel', async () => {
    const scales = await weightScales(channelView(tensor, 0), 'minmax', 'w', pace)
    for (let c = 0; c < 4; ++c) {
      const largest = Math.max(...weights.subarray(27 * c, 27 * (c + 1)).map(Math.abs))
      expect(scales[c]).toBe(Math.fround(largest / 127))
    }
  })

  it.each([0, 1, undefined])(
    'mse is never worse than minmax; levels stay in [-127, 127] (axis %s)',
    async (axis) => {
      const view = channelView(tensor, axis)
      const errors = []
      for (const range of ['minmax', 'mse'] as const) {
        const scales = await weightScales(view, range, 'w', pace)
        const { data } = await quantizeWeights(tensor, view, scales, 'int8', pace)
        const levels = new Int8Array(data.buffer)
        expect(Math.min(...levels)).toBeGreaterThanOrEqual(-127)
        let error = 0
        levels.forEach((q, i) => {
          const channel = axis === undefined ? 0 : Math.floor(i / view.inner) % view.channels
          error += (q * (scales[channel] as number) - (weights[i] as number)) ** 2
        })
        errors.push(error)
      }
      expect(errors[1]).toBeLessThanOrEqual(errors[0] as number)
    },
  )

  it('uint8 is int8 moved by 128', async () => {
    const view = channelView(tensor, 0)
    const scales = await weightScales(view, 'mse', 'w', pace)
    const a = await quantizeWeights(tensor, view, scales, 'int8', pace)
    const b = await quantizeWeights(tensor, view, scales, 'uint8', pace)
    expect([...new Int8Array(a.data.buffer)]).toEqual([...b.data].map((q) => q - 128))
  })

  it('a channel of zeros has scale 1; NaN is named', async () => {
    const zeros = { ...tensor, data: new Uint8Array(tensor.data.length) }
    expect([...(await weightScales(channelView(zeros, 0), 'mse', 'w', pace))]).toEqual([1, 1, 1, 1])
    const bad = weights.slice()
    bad[5] = Number.NaN
    const view = channelView({ ...tensor, data: new Uint8Array(bad.buffer) }, 0)
    await expect(weightScales(view, 'mse', 'conv1.weight', pace)).rejects.toThrow(/'conv1.weight' hold NaN/)
  })
})

describe('recipe', () => {
  it('has the defaults, and is plain JSON that gives itself again', () => {
    const recipe = parseRecipe({ exclude: ['a', /head/i] })
    expect(recipe).toEqual({
      weights: { type: 'int8', granularity: 'channel', range: 'mse' },
      activations: { type: 'int8', symmetric: false, observer: 'mse' },
      exclude: ['a', { pattern: 'head', flags: 'i' }],
      biasCorrection: true,
    })
    expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe)
  })

  it.each([
    [{ weights: { type: 'int4' } }, /Option 'weights.type'/],
    [{ weights: { typo: 1 } }, /Option 'weights.typo'/],
    [{ activations: { observer: 'magic' } }, /Option 'activations.observer'.*"magic"/],
    [{ activations: { percentile: 120 } }, /Option 'activations.percentile'/],
    [{ exclude: 'head' }, /Option 'exclude'/],
    [{ exclude: [{ pattern: '(' }] }, /expected a regular expression/],
    [{ biasCorrection: 'yes' }, /Option 'biasCorrection'/],
  ])('refuses %j', (options, message) => {
    expect(() => parseRecipe(options as never)).toThrow(message)
    expect(() => parseRecipe(options as never)).toThrow(TypeError)
  })

  it('excludes exact names and patterns', () => {
    const excluded = excluder(['conv1', { pattern: '^head/', flags: '' }])
    expect(['conv1', 'conv10', 'head/cls', 'a/head/'].map(excluded)).toEqual([true, false, true, false])
  })
})
