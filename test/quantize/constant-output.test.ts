/** Outputs that never change beside one that does: nothing is wrong with them, and nothing is said of them. */
import { expect, it } from 'vitest'
import { ModelBuilder } from '../helpers/builder.js'
import { Random } from '../helpers/random.js'
import { tryQuantizing } from './cases/trial.js'

const random = new Random(5)
const samples = Array.from({ length: 16 }, () => ({ x: random.tensor([4, 16]) }))

/** Two layers, and what `more` makes of the hidden one as a second output. */
function withOutput(more: (m: ModelBuilder, hidden: string) => string): Uint8Array {
  const m = new ModelBuilder(1)
  const hidden = m.op('Relu', [m.linear(m.input('x', ['rows', 16]), 16, 24, true)])
  m.output(m.linear(hidden, 24, 4, true), more(m, hidden))
  return m.bytes()
}

it.each<[string, number, (m: ModelBuilder, hidden: string) => string]>([
  ['a product times 0', 0, (m, h) => m.op('Mul', [m.linear(h, 24, 4), 0])],
  ['a product with weights of 0 and a bias', 3, (m, h) => m.op('Gemm', [h, m.constant([24, 4], () => 0), 3])],
  ['a unit that no input wakes', 0, (m, h) => m.op('Relu', [m.op('Sub', [m.linear(h, 24, 4), 1e3])])],
  ['a constant of the model', 0.5, (m) => m.op('Sigmoid', [m.constant([4, 4], () => 0)])],
  ['a saturated function', 1, (m, h) => m.op('Sigmoid', [m.op('Add', [m.linear(h, 24, 4), 1e3])])],
])('%s', async (_, wanted, more) => {
  const { sqnr, int8, result } = await tryQuantizing({
    model: withOutput(more),
    calibration: samples,
    held: samples.slice(0, 4),
  })
  const [live, constant] = [...int8.keys()] as [string, string]
  const seen = new Set(int8.get(constant)?.flatMap((values) => Array.from(values)))
  expect(seen.size).toBe(1)
  // A bias alone is rounded to a multiple of the scale of its sums.
  expect(Math.abs(([...seen][0] ?? Number.NaN) - wanted)).toBeLessThanOrEqual(0.004 * wanted)
  expect(sqnr.get(constant)).toBeGreaterThan(45)
  expect(sqnr.get(live)).toBeGreaterThan(30)
  expect(result.report.warnings.filter((text) => text.includes(`'${constant}'`))).toEqual([])
})
