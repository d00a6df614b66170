/** Models that are compiled for what they are fed. */
import { describe, expect, it } from 'vitest'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { modelBytes, node, text, value } from '../helpers/model.js'

/** Resize whose scales are an input. */
function resizing(): Uint8Array {
  return modelBytes(
    {
      name: 'g',
      input: [value('x', ['n', 1, 'w']), value('scales', [3])],
      output: [value('y', undefined)],
      node: [
        node(
          'Resize',
          ['x', '', 'scales'],
          ['y'],
          [
            text('mode', 'nearest'),
            text('coordinate_transformation_mode', 'asymmetric'),
            text('nearest_mode', 'floor'),
          ],
        ),
      ],
    },
    21,
  )
}

const line = (...x: number[]) => new Tensor('float32', Float32Array.from(x), [1, 1, x.length])
const numbers = (t: Tensor | undefined) => Array.from(t?.data as Float32Array)
const scales = (s: number) => new Tensor('float32', Float32Array.of(1, 1, s), [3])

describe('a model without one plan for all sizes', () => {
  it('is compiled for the sizes and values it is fed, each once', async () => {
    const session = await InferenceSession.create(resizing())
    expect(session.inputMetadata.map((m) => m.shape)).toEqual([['n', 1, 'w'], [3]])
    const twice = await session.run({ x: line(1, 2), scales: scales(2) })
    expect(numbers(twice.y)).toEqual([1, 1, 2, 2])
    const thrice = await session.run({ x: line(1, 2), scales: scales(3) })
    expect(numbers(thrice.y)).toEqual([1, 1, 1, 2, 2, 2])
    const again = session.runSync({ x: line(7, 8), scales: scales(2) })
    expect(numbers(again.y)).toEqual([7, 7, 8, 8])
    await session.release()
  })

  it('copies its feeds before run returns', async () => {
    await using session = await InferenceSession.create(resizing())
    const x = line(1, 2)
    const running = session.run({ x, scales: scales(2) })
    ;(x.data as Float32Array).fill(9)
    expect(numbers((await running).y)).toEqual([1, 1, 2, 2])
  })

  it('runs many sizes at once, more than it keeps', async () => {
    await using session = await InferenceSession.create(resizing())
    const factors = Array.from({ length: 20 }, (_, i) => i + 1)
    const results = await Promise.all(factors.map((f) => session.run({ x: line(1, 2), scales: scales(f) })))
    expect(results.map((r) => r.y?.dims[2])).toEqual(factors.map((f) => 2 * f))
  })

  it('says what runSync and explain need', async () => {
    await using session = await InferenceSession.create(resizing())
    expect(() => session.runSync({ x: line(1), scales: scales(2) })).toThrow(/expected a call of run\(\)/)
    expect(() => session.explain()).toThrow(/after its first run/)
    await session.run({ x: line(1), scales: scales(2) })
    expect(session.explain().some((e) => e.step === 'Resize')).toBe(true)
  })

  it('refuses values that no sizes make valid', async () => {
    await using session = await InferenceSession.create(resizing())
    await expect(session.run({ x: line(1, 2), scales: scales(-1) })).rejects.toThrow(/positive scales/)
    await expect(
      session.run({ x: new Tensor('float32', new Float32Array(2), [1, 2, 1]), scales: scales(2) }),
    ).rejects.toThrow(/invalid dimensions/)
  })
})
