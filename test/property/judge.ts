/** Whether quantize() keeps its promise for a graph: every output is right, or a warning names a node that helps. */
import { OctavoError } from '../../lib/errors.js'
import { Tensor } from '../../lib/session/tensor.js'
import { Random } from '../helpers/random.js'
import { sqnrOf } from '../helpers/sqnr.js'
import {
  type Feeds,
  helpfulNodes,
  outputsOf,
  sqnrsOf,
  type Trial,
  type TrialInput,
  tryQuantizing,
} from '../quantize/cases/trial.js'
import { bytesOf, type RandomGraph, samplesOf } from './random-graph.js'
import { wasUnseen } from './unseen.js'

/** What an output must reach, in dB. */
const BAR = 15
const [CALIBRATION, HELD, MORE] = [16, 8, 56]
/** Samples of a graph: those that calibrate come first, then those that judge, and more for what these find wrong. */
export const SAMPLES = CALIBRATION + HELD + MORE

export const samplesSeed = (graph: RandomGraph) => graph.seed ^ 0x5eed
/** An output that inputs changed by 1e-6 change by more than this is chaotic, in dB. */
const CHAOS = 40

/**
 * `right`: every output that can be judged is. `warned`: one is not, and a warning names a node that helps. `unseen`: right for
 * samples like those that calibrated, which showed too little of the distribution. `refused`: nothing of it gains by integers, and the error says why.
 * `skipped`: no output can be judged. `wrong`: all else.
 */
export interface Verdict {
  readonly kind: 'right' | 'warned' | 'unseen' | 'refused' | 'skipped' | 'wrong'
  /** The output that is wrong, if one is. */
  readonly output?: string
  readonly text: string
}

export async function judge(graph: RandomGraph): Promise<Verdict> {
  const random = new Random(samplesSeed(graph))
  const samples = samplesOf(graph, SAMPLES, random)
  const input = {
    model: bytesOf(graph),
    calibration: samples.slice(0, CALIBRATION),
    held: samples.slice(CALIBRATION, CALIBRATION + HELD),
  }
  const all = { ...input, held: samples.slice(CALIBRATION) }
  const judged = await judgedOutputs(input.model, input.held, random)
  if (judged.length === 0) return { kind: 'skipped', text: 'no output can be judged' }
  let trial: Trial
  try {
    trial = await tryQuantizing(input)
  } catch (error) {
    if (error instanceof OctavoError && error.code === 'ERR_NOTHING_QUANTIZED')
      return { kind: 'refused', text: error.message }
    return { kind: 'wrong', text: `exception: ${(error as Error).stack}` }
  }
  let [warned, unseen] = [false, false]
  for (const name of judged) {
    if ((trial.sqnr.get(name) ?? Number.NaN) >= BAR) continue
    const longer = await again(trial, all)
    const sqnr = longer.sqnr.get(name) ?? Number.NaN
    if (sqnr >= BAR) continue
    const { warnings } = trial.result.report
    const helpful = await helpfulNodes(all, longer, name)
    const text = `${name}: ${sqnr.toFixed(1)} dB; warnings: ${warnings.join(' | ') || 'none'}`
    if (helpful.length > 0) warned = true
    else if (await wasUnseen(graph, name, all, trial, BAR)) unseen = true
    else return { kind: 'wrong', output: name, text }
  }
  return { kind: unseen ? 'unseen' : warned ? 'warned' : 'right', text: '' }
}

/** The same quantized model on other samples. */
async function again({ result }: Trial, { model, held }: TrialInput): Promise<Trial> {
  const [float, int8] = [await outputsOf(model, held), await outputsOf(result.model, held)]
  return { result, float, int8, sqnr: sqnrsOf(float, int8) }
}

/** Outputs that are finite, not constant, and that float32 itself determines. */
async function judgedOutputs(
  model: Uint8Array,
  samples: readonly Feeds[],
  random: Random,
): Promise<string[]> {
  const float = await outputsOf(model, samples)
  const moved = sqnrsOf(
    float,
    await outputsOf(
      model,
      samples.map((feeds) => perturbed(feeds, random)),
    ),
  )
  return [...float].flatMap(([name, values]) =>
    varies(values) && (moved.get(name) ?? Number.NaN) >= CHAOS ? [name] : [],
  )
}

function perturbed(feeds: Feeds, random: Random): Feeds {
  const changed = Object.entries(feeds).map(([name, { data, dims }]) => {
    const values = data as Float32Array
    return [
      name,
      new Tensor(
        'float32',
        values.map((v) => v * (1 + 1e-6 * random.normal())),
        dims,
      ),
    ] as const
  })
  return Object.fromEntries(changed)
}

function varies(samples: readonly ArrayLike<number>[]): boolean {
  const all = samples.flatMap((s) => Array.from(s))
  if (!all.every(Number.isFinite)) return false
  const first = all[0] ?? 0
  const largest = all.reduce((most, v) => Math.max(most, Math.abs(v)), 0)
  // Nothing that a model of use would give: float32 rounds it to 0 or leaves its range in a square.
  if (largest < 1e-12 || largest > 1e12) return false
  return sqnrOf([all.map(() => first)], [all]) < 100
}
