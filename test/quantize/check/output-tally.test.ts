/** How an output is judged. */
import { expect, it } from 'vitest'
import type { EngineTensor } from '../../../lib/calibrate/engine.js'
import { Pace } from '../../../lib/event-loop.js'
import { tensorOf } from '../../../lib/graph/tensor.js'
import { OutputTally } from '../../../lib/quantize/check/output-tally.js'
import { decibels, disagrees, isPoor } from '../../../lib/quantize/check/quality.js'

async function judged(dims: readonly number[], float: readonly number[], quantized: readonly number[]) {
  const tensor = (values: readonly number[]): EngineTensor =>
    tensorOf('float32', dims, Float32Array.from(values))
  const tally = new OutputTally('y')
  await tally.add(tensor(float), tensor(quantized), new Pace(undefined))
  return tally.result()
}

it('equal outputs are as in float', async () => {
  const quality = await judged([2, 3], [1, 2, 3, 6, 5, 4], [1, 2, 3, 6, 5, 4])
  expect(quality).toEqual({ name: 'y', sqnr: Number.POSITIVE_INFINITY, rows: 2, agreeing: 2, lost: 0 })
  expect(isPoor(quality) || disagrees(quality)).toBe(false)
})

it('noise is in decibels, and a largest element that moved is counted', async () => {
  const quality = await judged([2, 2], [10, 9, 0, 1], [9, 10, 0, 1])
  expect(quality.sqnr).toBeCloseTo(10 * Math.log10(182 / 2), 6)
  expect([quality.rows, quality.agreeing]).toEqual([2, 1])
  expect([isPoor(quality), disagrees(quality)]).toEqual([false, true])
})

it('channels that became one number are lost, whatever the large ones do', async () => {
  const boxes = Array.from({ length: 16 }, (_, i) => 600 + i)
  const scores = Array.from({ length: 16 }, (_, i) => i / 100)
  const quality = await judged([1, 2, 16], [...boxes, ...scores], [...boxes, ...scores.map(() => 0)])
  expect(quality.sqnr).toBeGreaterThan(60)
  expect(quality.lost).toBe(0.5)
  expect([decibels(quality), isPoor(quality)]).toEqual([0, true])
})
