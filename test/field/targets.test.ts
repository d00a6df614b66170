import { describe, expect, it } from 'vitest'
import { script } from './module.js'

interface Row {
  readonly name: string
  readonly int8?: {
    readonly cosine?: number
    readonly perSample?: readonly number[]
    readonly error?: string
  }
  readonly theirs?: { readonly sqnr?: number; readonly perSample?: readonly number[] }
  readonly quantize?: { readonly warnings: readonly string[] }
  readonly products?: {
    readonly integer: number
    readonly float: readonly { readonly node: string; readonly reason: string }[]
  }
}
interface Target {
  readonly text: string
  readonly reached?: boolean
  readonly misses: readonly string[]
}
const { targets } = await script<{ targets(rows: readonly Row[]): Target[] }>('targets.mjs')
const { countProducts } = await script<{
  countProducts(
    names: ReadonlySet<string>,
    nodes: readonly { node: string; kind: string; reason?: string }[],
    reasons: ReadonlyMap<string, string>,
  ): Row['products']
}>('products.mjs')

const good: Row = {
  name: 'good',
  int8: { cosine: 0.9999, perSample: [30, 31, 32] },
  theirs: { perSample: [30, 32, 32] },
  quantize: { warnings: [] },
  products: { integer: 3, float: [] },
}
const reached = (rows: readonly Row[]) => targets(rows).map((t) => t.reached)

describe('targets over field files', () => {
  it('are reached by files that keep their answers, and not measured without any', () => {
    expect(reached([good])).toEqual([true, true, true, true])
    expect(reached([])).toEqual([true, undefined, undefined, undefined])
  })

  it('name a file that lost its answers in silence, or cannot run, and no file that says so', () => {
    const lost: Row = { ...good, name: 'lost', int8: { cosine: 0.5, perSample: [1, 1, 1] } }
    const broken: Row = { ...good, name: 'broken', int8: { error: 'no' } }
    const said: Row = { ...lost, name: 'said', quantize: { warnings: ['y: 3 dB'] } }
    expect(targets([good, lost, broken, said])[0]?.misses).toEqual(['lost', 'broken'])
  })

  it('take a float product for explained where its reason has a figure', () => {
    const float = (reason: string): Row => ({
      ...good,
      name: reason,
      products: { integer: 1, float: [{ node: 'a', reason }] },
    })
    const rows = [good, float('costs 12 dB'), float('because')]
    expect(targets(rows)[2]).toMatchObject({ reached: false, misses: ['because'] })
  })

  it('compare with the other quantizer by pairs', () => {
    const worse: Row = { ...good, name: 'worse', int8: { cosine: 0.9999, perSample: [20, 21, 23] } }
    expect(targets([good, worse])[3]).toMatchObject({ reached: false, misses: ['worse'] })
  })

  it('do not compare with a file that the other quantizer left in float', () => {
    const left: Row = {
      ...good,
      name: 'left',
      theirs: { sqnr: Number.POSITIVE_INFINITY, perSample: [80, 80, 80] },
    }
    expect(targets([good, left])[3]).toMatchObject({ reached: true, misses: [] })
    expect(targets([good, left])[3]?.text).toMatch(/1 of 1; 1 that it left in float are not compared$/)
  })
})

describe('products of a file', () => {
  it('count each node once, and prefer the reason of the report', () => {
    const nodes = [
      { node: 'conv', kind: 'float', reason: 'of the step' },
      { node: 'conv', kind: 'integer' },
      { node: 'gemm', kind: 'float', reason: 'of the step' },
      { node: 'gemm', kind: 'convert' },
      { node: 'lstm', kind: 'float' },
      { node: 'relu', kind: 'integer' },
    ]
    const names = new Set(['conv', 'gemm', 'lstm', 'folded'])
    expect(countProducts(names, nodes, new Map([['gemm', '3 dB']]))).toEqual({
      integer: 1,
      float: [
        { node: 'gemm', reason: '3 dB' },
        { node: 'lstm', reason: '' },
      ],
    })
  })
})
