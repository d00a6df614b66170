/** The tests of a list of cases: accuracy, finite outputs, products in integers, the same answers elsewhere. */
import { describe, expect, it } from 'vitest'
import { ModelBuilder } from '../../helpers/builder.js'
import { Random } from '../../helpers/random.js'
import { reference } from '../../models/reference.js'
import type { QuantizationCase } from './case.js'
import { referenceOutputs } from './peer.js'
import { allFinite, helpfulNodes, sqnrsOf, type Trial, type TrialInput, tryQuantizing } from './trial.js'

const PRODUCTS = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM', 'GRU', 'RNN']

/** How far a case may be below the same model with nothing but its products quantized, in dB. */
const MARGIN = 3

export function describeCases(kind: string, cases: readonly QuantizationCase[]): void {
  describe.each(cases.map((c) => [c.name, c] as const))(`${kind}: %s`, (_, given) => {
    const input = inputOf(given)
    let done: Promise<Trial> | undefined
    const trial = () => {
      done ??= tryQuantizing(input)
      return done
    }

    it('is right with default options, or a warning names a node that makes it better', async () => {
      await expectRight(input, await trial(), given.bar)
    })

    it('is no worse than with products alone in integers', async () => {
      const products = PRODUCTS.map((opType) => ({ match: { opType }, exclude: false }))
      const alone = await tryQuantizing(input, { exclude: [{ pattern: '' }], rules: products })
      for (const [name, sqnr] of (await trial()).sqnr) {
        expect(sqnr, name).toBeGreaterThanOrEqual(Math.min(30, (alone.sqnr.get(name) ?? 0) - MARGIN))
      }
    })

    it.skipIf(!reference)('gives the same answers in onnxruntime', async () => {
      await expectSameElsewhere(input, await trial(), given.bar)
    })
  })
}

function inputOf(given: QuantizationCase): TrialInput {
  const builder = new ModelBuilder(given.seed ?? 1, given.opset ?? 17)
  given.model(builder)
  const random = new Random(1000 + (given.seed ?? 1))
  const samples = Array.from({ length: (given.samples ?? 32) + 8 }, (_, i) => given.sample(random, i))
  return { model: builder.bytes(), calibration: samples.slice(8), held: samples.slice(0, 8) }
}

export async function expectRight(
  input: TrialInput,
  trial: Trial,
  bar: number,
  outputs: readonly string[] = [...trial.sqnr.keys()],
): Promise<void> {
  expect(allFinite(trial.float), 'the float model gives finite numbers').toBe(true)
  expect(allFinite(trial.int8), 'the quantized model gives finite numbers').toBe(true)
  for (const name of outputs) {
    const sqnr = trial.sqnr.get(name) ?? Number.NaN
    if (sqnr >= bar) continue
    const helpful = await helpfulNodes(input, trial, name)
    expect(helpful, `${name}: ${sqnr.toFixed(1)} dB, ${trial.result.report.warnings.join('; ')}`).not.toEqual(
      [],
    )
  }
}

/** Octavo and onnxruntime agree on the written file, better than either agrees with the float model. */
export async function expectSameElsewhere(
  input: TrialInput,
  trial: Trial,
  bar: number,
  outputs: readonly string[] = [...trial.sqnr.keys()],
): Promise<void> {
  const there = await referenceOutputs(trial.result.model, input.held)
  expect(allFinite(there)).toBe(true)
  const apart = sqnrsOf(trial.int8, there)
  const right = sqnrsOf(trial.float, there)
  for (const name of outputs) {
    expect(right.get(name), `${name} beside the float model`).toBeGreaterThanOrEqual(
      Math.min(bar, trial.sqnr.get(name) ?? 0) - 1,
    )
    expect(apart.get(name), `${name} beside Octavo`).toBeGreaterThanOrEqual(
      Math.min(40, trial.sqnr.get(name) ?? 0),
    )
  }
}
