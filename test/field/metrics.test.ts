import { describe, expect, it } from 'vitest'
import { script } from './module.js'

interface Tensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
}
type Outputs = Readonly<Record<string, Tensor>>
interface Output {
  readonly name: string
  readonly sqnr?: number
  readonly cosine?: number
  readonly agreement?: number
}
interface Metrics {
  perOutput(references: readonly Outputs[], others: readonly Outputs[]): Output[]
  perSample(references: readonly Outputs[], others: readonly Outputs[]): number[]
  paired(a: readonly number[], b: readonly number[]): { mean: number; error: number }
  worst(outputs: readonly Output[]): { cosine: number; sqnr?: number }
  median(list: readonly number[]): number
}

const { perOutput, perSample, paired, worst, median } = await script<Metrics>('metrics.mjs')
const y = (...data: number[]): Outputs => ({
  y: { type: 'float32', dims: [data.length], data: Float32Array.from(data) },
})

describe('metrics of field files', () => {
  it('takes all samples as one vector', () => {
    const [found] = perOutput([y(3, 4), y(0, 0)], [y(3, 4), y(0, 5)])
    expect(found?.sqnr).toBeCloseTo(0, 12)
    expect(found?.cosine).toBeCloseTo(25 / Math.sqrt(25 * 50), 12)
  })

  it('is 10 times the logarithm of energies, and endless where both are equal', () => {
    expect(perOutput([y(10)], [y(9)])[0]?.sqnr).toBeCloseTo(20, 12)
    expect(perOutput([y(10)], [y(10)])[0]).toEqual({ name: 'y', sqnr: Infinity, cosine: 1 })
  })

  it('takes a NaN in one of them for no resemblance, and equal infinities for none of the difference', () => {
    expect(perOutput([y(1, 2)], [y(1, Number.NaN)])[0]).toEqual({ name: 'y', sqnr: -Infinity, cosine: 0 })
    expect(perOutput([y(1, Infinity)], [y(1, Infinity)])[0]?.cosine).toBe(1)
    expect(perOutput([y(1, 2)], [y(1)])[0]?.cosine).toBe(0)
  })

  it('says of integers how many are equal', () => {
    const labels = (...data: number[]) => ({
      label: { type: 'int32', dims: [2], data: Int32Array.from(data) },
    })
    expect(perOutput([labels(1, 2)], [labels(1, 3)])).toEqual([{ name: 'label', agreement: 0.5 }])
  })

  it('limits a sample to -20 to 80 dB, and leaves out outputs that are 0', () => {
    expect(perSample([y(10), y(10), y(1)], [y(9), y(10), y(1e6)])).toEqual([expect.closeTo(20, 9), 80, -20])
    const zero = { ...y(10), z: { type: 'float32', dims: [1], data: Float32Array.of(0) } }
    const off = { ...y(9), z: { type: 'float32', dims: [1], data: Float32Array.of(1) } }
    expect(perSample([zero], [off])[0]).toBeCloseTo(20, 9)
  })

  it('pairs samples', () => {
    expect(paired([1, 2, 3], [0, 2, 4])).toEqual({ mean: 0, error: Math.sqrt(1 / 3) })
    expect(
      worst([
        { name: 'a', sqnr: 3, cosine: 0.9 },
        { name: 'b', sqnr: 30, cosine: 0.8 },
      ]),
    ).toEqual({ cosine: 0.8, sqnr: 3 })
    expect(median([3, 1, 2, 10])).toBe(2.5)
  })
})
