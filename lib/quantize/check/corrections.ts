/**
 * Corrections of biases that help: a mean over few values is itself uncertain, and a function after a layer need not pass it
 * on. All of them, those that were made of many values, or none: what is best for the outputs.
 */
import type { BiasTarget } from '../correct/bias-target.js'
import { withCorrections } from '../correct/bias-targets.js'
import { floatSums } from '../correct/channel-sums.js'
import type { Quantization } from '../quantization.js'
import type { Judge } from './judge.js'
import type { OutputQuality } from './output-tally.js'
import { worst } from './quality.js'

/** So many values of a channel tell its mean well. */
const MANY_VALUES = 128
/** Outputs this good are not asked for more. */
const ENOUGH_DB = 35
/** What leaving corrections out must gain, in dB. */
const LEAST_GAIN_DB = 0.5

/** The quantization with the best of its corrections; itself where that is all of them. `now`: its outputs. */
export async function helpfulCorrections(
  quantization: Quantization,
  judge: Judge,
  now: readonly OutputQuality[],
): Promise<Quantization> {
  const { corrections, uncorrected } = quantization
  if (!uncorrected || corrections.size === 0 || worst(now) > ENOUGH_DB) return quantization
  const graphOf = (chosen: Corrections) => withCorrections(uncorrected.graph, chosen)
  const certain = new Map(
    [...corrections].filter(([target]) => valuesOf(quantization, target) >= MANY_VALUES),
  )
  let best: Corrections = corrections
  let reached = worst(now) + LEAST_GAIN_DB
  for (const chosen of [new Map(), certain]) {
    const quality = worst(await judge.of(graphOf(chosen)))
    // Where none is no better than all, some will not be.
    if (quality <= reached) break
    best = chosen
    reached = quality
  }
  if (best === corrections) return quantization
  return { ...quantization, quantized: { ...uncorrected, graph: graphOf(best) }, corrections: best }
}

type Corrections = ReadonlyMap<BiasTarget, Float64Array>

/** Values of one channel that the correction of a layer was made of. */
function valuesOf({ samples }: Quantization, { floatValue }: BiasTarget): number {
  return floatSums(samples, floatValue).reduce((n, { count }) => n + count, 0)
}
