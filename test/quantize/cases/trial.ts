/** A float model and its quantized form on samples that did not calibrate. */
import { OctavoError } from '../../../lib/errors.js'
import { type QuantizeResult, quantize } from '../../../lib/quantize/index.js'
import type { RecipeOptions } from '../../../lib/quantize/recipe/types.js'
import { InferenceSession } from '../../../lib/session/session.js'
import type { Tensor } from '../../../lib/session/tensor.js'
import { sqnrOf } from '../../helpers/sqnr.js'

export type Feeds = Readonly<Record<string, Tensor>>

export interface TrialInput {
  readonly model: Uint8Array
  readonly calibration: readonly Feeds[]
  readonly held: readonly Feeds[]
}

export interface Trial {
  readonly result: QuantizeResult
  /** Of every float output, in dB. */
  readonly sqnr: ReadonlyMap<string, number>
  /** What the quantized model gave, by output: a list per sample. */
  readonly int8: ReadonlyMap<string, readonly ArrayLike<number>[]>
  /** What the float model gave. */
  readonly float: ReadonlyMap<string, readonly ArrayLike<number>[]>
}

export async function tryQuantizing(input: TrialInput, options: RecipeOptions = {}): Promise<Trial> {
  const result = await quantize(input.model, { data: input.calibration, ...options })
  const float = await outputsOf(input.model, input.held)
  const int8 = await outputsOf(result.model, input.held)
  return { result, float, int8, sqnr: sqnrsOf(float, int8) }
}

export function sqnrsOf(float: Trial['float'], other: Trial['float']): Map<string, number> {
  return new Map([...float].map(([name, wanted]) => [name, sqnrOf(wanted, other.get(name) ?? [])]))
}

/** The float outputs of a model, by name: a list per sample. */
export async function outputsOf(
  model: Uint8Array,
  samples: readonly Feeds[],
): Promise<Map<string, ArrayLike<number>[]>> {
  const session = await InferenceSession.create(model)
  const outputs = new Map<string, ArrayLike<number>[]>()
  try {
    for (const feeds of samples) {
      for (const [name, { type, data }] of Object.entries(await session.run(feeds))) {
        if (type !== 'float32') continue
        outputs.set(name, [...(outputs.get(name) ?? []), data as Float32Array])
      }
    }
  } finally {
    await session.release()
  }
  return outputs
}

export function allFinite(outputs: Trial['int8']): boolean {
  return [...outputs.values()].every((samples) => samples.every((s) => Array.from(s).every(Number.isFinite)))
}

/**
 * Nodes that a warning names, which would make an output better if they were excluded: what a report owes to whoever
 * gets a bad result.
 */
export async function helpfulNodes(input: TrialInput, trial: Trial, output: string): Promise<string[]> {
  const before = trial.sqnr.get(output) ?? Number.NaN
  for (const name of namedNodes(trial.result.report)) {
    const after = await sqnrWithout(input, name, output)
    if (after > before || (Number.isNaN(before) && !Number.isNaN(after))) return [name]
  }
  return []
}

/** Of an output when a node stays in float; infinite where nothing is left in integers then. */
async function sqnrWithout(input: TrialInput, node: string, output: string): Promise<number> {
  try {
    return (await tryQuantizing(input, { exclude: [node] })).sqnr.get(output) ?? Number.NaN
  } catch (error) {
    const code: string = error instanceof OctavoError ? error.code : ''
    if (code === 'ERR_NOTHING_QUANTIZED') return Number.POSITIVE_INFINITY
    throw error
  }
}

/** Nodes of the report that its warnings quote. */
function namedNodes({ integer, float, warnings }: QuantizeResult['report']): string[] {
  const names = [...integer, ...float].map((n) => n.node)
  return names.filter((name) => warnings.some((text) => text.includes(`'${name}'`)))
}
