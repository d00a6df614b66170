/** Every statistic through a plan: from the observation to the record that JavaScript reads. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, openEngine } from '../../lib/calibrate/engine.js'
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { tensorOf } from '../../lib/graph/tensor.js'
import { type Observation, sizesOf, stateOf } from '../../lib/statistics/observation.js'
import { RECORDS, readRecord, recordWords } from '../../lib/statistics/record.js'
import { histogramOf, momentsOf } from '../helpers/statistics.js'
import { graph, node } from '../quantize/graphs.js'

const DIMS = [2, 3, 4, 5]
const SIZE = 120
const random = mulberry32(31)
const runs = [1, 8, 3].map((scale) => Float32Array.from({ length: SIZE }, () => scale * (random() - 0.4)))
const all = runs.flatMap((run) => [...run])

/** The elements of channel c of a run, in order. */
const channel = (run: Float32Array, c: number) => [...run].filter((_, i) => Math.floor(i / 20) % 3 === c)

const of = { value: 'y', channelAxis: 1 }
const observe = [
  { kind: 'moments', ...of },
  { kind: 'histogram', bins: 256, ...of },
  { kind: 'extremes', momentum: 0.3, ...of },
  { kind: 'channelExtremes', ...of },
  { kind: 'channelSums', ...of },
  { kind: 'gram', ...of },
  { kind: 'samples', capacity: 7, ...of },
  { kind: 'channelSums', perRun: true, value: 'x', channelAxis: 1 },
  { kind: 'moments', value: 'n' },
] as const satisfies readonly Observation[]

describe('observed', () => {
  let engine: Engine
  beforeAll(async () => {
    const net = graph({
      inputs: { x: DIMS },
      outputs: ['z'],
      nodes: [node('y = Identity(x)'), node('n = Shape(y)'), node('z = Relu(y)')],
      constants: {},
    })
    engine = await openEngine(net, { observe })
    for (const run of runs) await engine.run({ x: tensorOf('float32', DIMS, run) }, [])
  })
  afterAll(() => engine.release())

  it('moments and histogram', () => {
    const { sum, sumOfSquares, ...exact } = momentsOf(all)
    for (const seen of [engine.observed(observe[0]), engine.observed(observe[1])]) {
      expect(seen).toMatchObject(exact)
      expect(seen?.sum).toBeCloseTo(sum, 10)
      expect(seen?.sumOfSquares).toBeCloseTo(sumOfSquares, 8)
    }
    const { width, counts } = histogramOf(all, 256)
    expect(engine.observed(observe[1])).toMatchObject({ width, counts })
  })

  it('extremes of every run, averaged', () => {
    let [low, high] = [0, 0]
    runs.forEach((run, i) => {
      low += (i === 0 ? 1 : 0.3) * (Math.min(...run) - low)
      high += (i === 0 ? 1 : 0.3) * (Math.max(...run) - high)
    })
    const [min, max] = [Math.min(...all), Math.max(...all)]
    expect(engine.observed(observe[2])).toEqual({ count: 360, nonfinite: 0, min, max, runs: 3, low, high })
  })

  it('per channel: extremes, sums of all runs, sums of the last run', () => {
    const values = [0, 1, 2].map((c) => runs.flatMap((run) => channel(run, c)))
    const extremes = engine.observed(observe[3])
    expect(extremes?.counts).toEqual(Float64Array.of(120, 120, 120))
    expect(extremes?.lows).toEqual(Float64Array.from(values, (v) => Math.min(...v)))
    expect(extremes?.highs).toEqual(Float64Array.from(values, (v) => Math.max(...v)))
    const sumOf = (list: number[]) => list.reduce((a, b) => a + b, 0)
    expect(engine.observed(observe[4])?.sums).toEqual(Float64Array.from(values, sumOf))
    const last = [0, 1, 2].map((c) => sumOf(channel(runs[2] as Float32Array, c)))
    expect(engine.observed(observe[7])).toMatchObject({ count: SIZE, sums: Float64Array.from(last) })
  })

  it('the Gram matrix of vectors along the channels', () => {
    const expected = new Float64Array(9)
    for (const run of runs) {
      for (let n = 0; n < 2; ++n) {
        for (let p = 0; p < 20; ++p) {
          const x = [0, 1, 2].map((c) => run[(3 * n + c) * 20 + p] as number)
          x.forEach((a, i) => {
            x.forEach((b, j) => {
              expected[3 * i + j] = (expected[3 * i + j] as number) + a * b
            })
          })
        }
      }
    }
    expect(engine.observed(observe[5])).toMatchObject({ rows: 120, products: expected })
  })

  it('a sample of vectors along the channels', () => {
    const record = engine.observed(observe[6])
    expect(record).toMatchObject({ rows: 120, held: 7 })
    const vectors = new Set(
      runs.flatMap((run) =>
        Array.from({ length: 40 }, (_, i) =>
          [0, 1, 2].map((c) => run[(3 * Math.floor(i / 20) + c) * 20 + (i % 20)]).join(),
        ),
      ),
    )
    for (let i = 0; i < 7; ++i) {
      expect(vectors).toContain([...(record?.vectors.subarray(3 * i, 3 * i + 3) ?? [])].join())
    }
  })

  it('nothing of a value that is not float32, or that nobody observes', () => {
    expect(engine.observed(observe[8])).toBeUndefined()
    expect(engine.observed({ kind: 'gram', value: 'z', channelAxis: 1 })).toBeUndefined()
  })
})

describe('records', () => {
  it('a state of another size is refused', () => {
    const sizes = sizesOf({ kind: 'histogram', bins: 16 }, 0)
    expect(recordWords('histogram', sizes)).toBe(23)
    expect(() => readRecord('histogram', new ArrayBuffer(8 * 22), sizes)).toThrow('176 bytes, expected 184')
  })

  it('float32 fields share words', () => {
    const sizes = { capacity: 3, channels: 3 }
    expect(recordWords('samples', sizes)).toBe(5 + 5)
    expect(readRecord('samples', new ArrayBuffer(80), sizes).vectors).toHaveLength(9)
  })

  it('states of different kinds have different names', () => {
    const kinds = Object.keys(RECORDS)
    const names = observe.slice(0, 7).map(stateOf)
    expect(new Set(names).size).toBe(kinds.length)
  })

  it('the structs of the native steps are those of the records', () => {
    const script = fileURLToPath(new URL('../../scripts/gen-records.mjs', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
  })
})
