/** Samples that calibrated may show too little: values of others go beyond all that was seen, and no scale reaches them. */
import type { Tensor } from '../../lib/session/tensor.js'
import { sqnrOf } from '../helpers/sqnr.js'
import { type Feeds, outputsOf, type Trial, type TrialInput } from '../quantize/cases/trial.js'
import { bytesOf, pruned, type RandomGraph } from './random-graph.js'

/** Values of samples that calibrated reach so far; what goes further than this times as much was not shown. */
const REACH = 1.1

/** Whether an output is right on the samples that calibrated, and others have values before it that go beyond all of those. */
export async function wasUnseen(
  graph: RandomGraph,
  output: string,
  { calibration, held }: TrialInput,
  trial: Trial,
  bar: number,
): Promise<boolean> {
  const before = pruned({ ...graph, outputs: [output] })
  const made = before.nodes.flatMap(({ op, outputs }) => (op === 'Cast' ? [] : outputs))
  const fed = before.inputs.map((input) => input.name)
  const feeds = (samples: readonly Feeds[]) =>
    samples.map((s) => Object.fromEntries(fed.map((name) => [name, s[name] as Tensor])))
  const model = bytesOf({ ...before, outputs: made })
  const [shown, later] = [await outputsOf(model, feeds(calibration)), await outputsOf(model, feeds(held))]
  const int8 = await outputsOf(trial.result.model, calibration)
  if (!(sqnrOf(shown.get(output) ?? [], int8.get(output) ?? []) >= bar)) return false
  const beyond = (a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]) =>
    reach(b) > REACH * reach(a)
  const input = (samples: readonly Feeds[], name: string) => samples.map((s) => s[name]?.data as Float32Array)
  return (
    fed.some((name) => beyond(input(calibration, name), input(held, name))) ||
    made.some((name) => beyond(shown.get(name) ?? [], later.get(name) ?? []))
  )
}

const reach = (samples: readonly ArrayLike<number>[]) =>
  samples.reduce((most, s) => Array.from(s).reduce((m, v) => Math.max(m, Math.abs(v)), most), 0)
