import { describe, expect, it } from 'vitest'
import { samplesOf } from '../../lib/calibrate/data.js'
import { checkFeeds } from '../../lib/calibrate/feeds.js'
import { Reservoir } from '../../lib/calibrate/reservoir.js'
import { Pace } from '../../lib/event-loop.js'
import { symbol } from '../../lib/graph/expr.js'

const inputs = [{ name: 'x', type: { dtype: 'float32' as const, shape: [symbol('n'), 2] } }]
const tensor = (data: readonly number[], dims: readonly number[], type = 'float32') => ({
  type,
  dims,
  data: Float32Array.from(data),
})
const check = (feeds: Parameters<typeof checkFeeds>[0]) => checkFeeds(feeds, 3, inputs, new Pace())

describe('checkFeeds', () => {
  it('takes what fits', async () => {
    const { x } = await check({ x: tensor([1, 2], [1, 2]) })
    expect(x).toMatchObject({ dtype: 'float32', dims: [1, 2] })
    expect(x?.data.byteLength).toBe(8)
  })

  it.each([
    ['missing', { y: tensor([1, 2], [1, 2]) }, /Sample 3: input 'x' is missing; the sample has 'y'/],
    ['type', { x: tensor([1, 2], [1, 2], 'int8') }, /has type int8, expected float32/],
    ['rank', { x: tensor([1, 2], [2]) }, /has shape \[2\], expected \[n, 2\]/],
    ['size', { x: tensor([1, 2, 3], [1, 3]) }, /has shape \[1, 3\], expected \[n, 2\]/],
    ['length', { x: tensor([1, 2, 3], [1, 2]) }, /has 12 bytes, expected 8 for \[1, 2\]/],
    ['NaN', { x: tensor([1, Number.NaN], [1, 2]) }, /Sample 3: input 'x' holds NaN at element 1/],
    [
      'infinity',
      { x: tensor([Number.POSITIVE_INFINITY, 1], [1, 2]) },
      /holds Infinity at element 0; expected finite/,
    ],
    ['dims', { x: tensor([1, 2], [1.5, 2]) }, /has no dims/],
  ])('refuses: %s', async (_, feeds, message) => {
    await expect(check(feeds)).rejects.toThrow(message)
    await expect(check(feeds)).rejects.toMatchObject({ code: 'ERR_CALIBRATION_DATA', tensor: 'x' })
  })

  it('takes the -Infinity of a mask', async () => {
    const x = tensor([Number.NEGATIVE_INFINITY, 1], [1, 2])
    expect((await check({ x })).x?.dims).toEqual([1, 2])
  })
})

describe('samplesOf', () => {
  const collect = async (source: Parameters<typeof samplesOf>[0], signal?: AbortSignal) => {
    let n = 0
    for await (const _ of samplesOf(source, signal)) ++n
    return n
  }
  const one = { x: tensor([1, 2], [1, 2]) }

  it('takes arrays, generators, async generators and functions', async () => {
    expect(await collect([one, one])).toBe(2)
    expect(await collect(() => [one])).toBe(1)
    const stream = async function* () {
      yield one
      yield one
    }
    expect(await collect(stream())).toBe(2)
    expect(await collect(stream)).toBe(2)
  })

  it('refuses what is no stream', async () => {
    await expect(collect({ x: 1 } as never)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  it('stops when aborted', async () => {
    await expect(collect([one], AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })
})

describe('Reservoir', () => {
  const sample = (v: number) => ({
    x: { dtype: 'float32' as const, dims: [1], data: Uint8Array.of(v, 0, 0, 0) },
  })
  const fill = (n: number, reservoir: Reservoir) => {
    for (let i = 0; i < n; ++i) reservoir.offer(sample(i % 256))
    return reservoir.held().map(({ sample: s }) => s.x?.data[0])
  }

  it('keeps all of a short stream, a fixed choice of a long one', () => {
    expect(fill(3, new Reservoir(8, 1000))).toEqual([0, 1, 2])
    const held = fill(200, new Reservoir(8, 1000))
    expect(held).toHaveLength(8)
    expect(Math.max(...held.map((v) => v ?? 0))).toBeGreaterThan(50)
    expect(fill(200, new Reservoir(8, 1000))).toEqual(held)
  })

  it('stays within its bytes', () => {
    expect(fill(200, new Reservoir(100, 40))).toHaveLength(10)
  })
})
