/** Models whose ranks and sizes only feeds decide: one file that is right for all of them. */
import { describe, expect, it } from 'vitest'
import { compare, explain, InferenceSession, quantize, Tensor } from '../../lib/index.js'
import { resizing, samples, squeezing } from '../calibrate/open-graphs.js'
import { fileOf } from './model.js'

const data = samples([1, 3, 2, 1, 4, 1, 2, 1])

describe('a model whose branches differ in rank', () => {
  it('is quantized to one file that runs for all sizes, before and after the branches', async () => {
    const { model, report } = await quantize(fileOf(squeezing()), { data })
    expect(report.integer.map((n) => n.node)).toEqual(expect.arrayContaining(['MatMul_a', 'MatMul_y']))
    const { outputs, samples: count } = await compare(fileOf(squeezing()), model, { data })
    expect(count).toBe(data.length)
    expect(outputs[0]?.sqnr).toBeGreaterThan(25)
    await using session = await InferenceSession.create(model)
    const [one, three] = samples([1, 3])
    expect((await session.run(one as never)).y?.dims).toEqual([4])
    expect((await session.run(three as never)).y?.dims).toEqual([3, 4])
  })

  it('takes samples that can be read once only', async () => {
    async function* once() {
      yield* data
    }
    const { model } = await quantize(fileOf(squeezing()), { data: once() })
    const again = await quantize(fileOf(squeezing()), { data })
    expect(Buffer.compare(model, again.model)).toBe(0)
  })

  it('compares layers by every engine', async () => {
    const { model } = await quantize(fileOf(squeezing()), { data })
    const { layers } = await compare(fileOf(squeezing()), model, { data, layers: true })
    expect(layers?.map((l) => l.name)).toContain('r')
  })
})

describe('explain', () => {
  it('says of a model that is compiled for its feeds what it needs, and explains it with them', async () => {
    const { model } = await quantize(fileOf(squeezing()), { data })
    await expect(explain(model)).rejects.toThrow(
      /expected 'feeds' \(octavo explain --data\), one sample for 'x'/,
    )
    const { nodes } = await explain(model, { feeds: data[1] as never })
    const kinds = nodes.filter((n) => n.opType === 'MatMul').map((n) => n.kind)
    expect(kinds).toEqual(['integer', 'integer'])
    const sized = await explain(model, { overrides: { n: 1 } })
    expect(sized.steps.integer).toBeGreaterThanOrEqual(2)
  })

  it('refuses feeds that do not fit', async () => {
    await expect(explain(fileOf(squeezing()), { feeds: {} })).rejects.toMatchObject({
      code: 'ERR_CALIBRATION_DATA',
    })
  })
})

it('scales that are an input', async () => {
  const sizes = [5, 6, 7, 5, 6, 7, 8, 9]
  const fed = sizes.map((size, i) => ({
    x: new Tensor(
      'float32',
      Float32Array.from({ length: 2 * size * size }, (_, k) => Math.sin(k + i)),
      [1, 2, size, size],
    ),
    scales: new Tensor('float32', Float32Array.of(1, 1, 1 + (i % 3), 2), [4]),
  }))
  const { model, report } = await quantize(fileOf(resizing()), { data: fed })
  expect(report.integer.map((n) => n.opType).filter((op) => op === 'Conv')).toHaveLength(2)
  const { outputs } = await compare(fileOf(resizing()), model, { data: fed })
  expect(outputs[0]?.sqnr).toBeGreaterThan(25)
})
