/** A result that is ruined is repaired, with the fewest nodes in float; a recipe that forces it is obeyed, with a warning. */
import { describe, expect, it } from 'vitest'
import { mulberry32 } from '../../../lib/calibrate/reservoir.js'
import { quantize } from '../../../lib/quantize/index.js'
import { Tensor } from '../../../lib/session/tensor.js'
import { graph, node, noise, numbers } from '../graphs.js'
import { fileOf } from '../model.js'

const COLUMNS = 16

/** Columns from 0.001 to 1,000, whose weights make up for it: one scale for all of them leaves nothing of the small ones. */
const sizes = Array.from({ length: COLUMNS }, (_, c) => 10 ** ((6 * c) / (COLUMNS - 1) - 3))
const random = mulberry32(3)
const float = graph({
  inputs: { x: [1, COLUMNS] },
  outputs: ['y'],
  nodes: [
    node('g = Gemm(x, w1, b1)'),
    node('r = Relu(g)'),
    node('h = Gemm(r, w2)'),
    node('s = Relu(h)'),
    node('y = Gemm(s, w3)'),
  ],
  constants: {
    w1: numbers(
      sizes.flatMap((size) => Array.from({ length: COLUMNS }, () => (2 * random() - 1) / size)),
      [COLUMNS, COLUMNS],
    ),
    b1: noise(COLUMNS),
    w2: noise(COLUMNS, COLUMNS),
    w3: noise(COLUMNS, 4),
  },
})

const data = Array.from({ length: 32 }, () => ({
  x: new Tensor(
    'float32',
    Float32Array.from(sizes, (size) => size * (2 * random() - 1)),
    [1, COLUMNS],
  ),
}))

describe('checkAndRepair', () => {
  it('takes to float what ruins an output, and no more', async () => {
    const { report } = await quantize(fileOf(float), { data })
    expect(report.check?.repaired).toEqual(['Gemm:g'])
    expect(report.check?.outputs[0]?.sqnr).toBeGreaterThan(20)
    expect(report.float).toContainEqual({
      node: 'Gemm:g',
      opType: 'Gemm',
      reason: expect.stringMatching(
        /^ruins an output in integers: [-\d.]+ dB on the samples, [\d.]+ dB with it in float$/,
      ),
    })
    expect(report.products).toEqual({ integer: 2, weightOnly: 0, total: 3, opTypes: ['Gemm'] })
  })

  it.each([
    ['a recipe that only warns', { check: 'warn' }],
    ['a rule that forces it', { rules: [{ match: { node: 'Gemm:g' }, exclude: false }] }],
  ] as const)('%s is obeyed, and the node named', async (_, options) => {
    const { report } = await quantize(fileOf(float), { data, ...options })
    expect(report.integer.map((n) => n.node)).toContain('Gemm:g')
    const warning = report.warnings.find((text) => text.startsWith("output 'y' has an SQNR of"))
    expect(warning).toMatch(/'Gemm:g' \(Gemm\) takes most of it: [\d.]+ dB with --exclude '\^Gemm:g\$'$/)
    expect(report.check?.outputs[0]?.sqnr).toBeLessThan(15)
  })

  it('turned off, nothing is run and nothing said', async () => {
    const { report } = await quantize(fileOf(float), { data, check: 'off' })
    expect(report.check).toBeUndefined()
    expect(report.warnings).toEqual([])
  })
})

it('a model without a product is an error, unless the file is wanted', async () => {
  const none = graph({ inputs: { x: [1, COLUMNS] }, outputs: ['y'], nodes: [node('y = Relu(x)')] })
  await expect(quantize(fileOf(none), { data })).rejects.toMatchObject({
    code: 'ERR_NOTHING_QUANTIZED',
    message: expect.stringContaining('it has no product'),
  })
  const { report } = await quantize(fileOf(none), { data, force: true })
  expect(report.products).toEqual({ integer: 0, weightOnly: 0, total: 0, opTypes: [] })
})
