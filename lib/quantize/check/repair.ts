/**
 * Looks at the result before it is handed over. Where an output is ruined, the nodes that do it go to float: the fewest that
 * help, found by trying. What is still poor is a warning with the node, the figure, and the option that would help.
 */
import { OctavoError } from '../../errors.js'
import type { Pins } from '../assign/pins.js'
import type { Method, Quantization } from '../quantization.js'
import type { QdqGraph } from '../write/qdq-graph.js'
import { helpfulCorrections } from './corrections.js'
import { Judge } from './judge.js'
import { measure } from './measure.js'
import type { Measurement } from './measurement.js'
import type { OutputQuality } from './output-tally.js'
import { isPoor, worst } from './quality.js'
import { RepairSearch } from './search.js'
import { Trials } from './trial.js'
import { warningsOf } from './warnings.js'

/** `rebuild`: from the assignment to the written graph; `finish`: what follows it. */
export function checkAndRepair(rebuild: Method, finish: Method): Method {
  const check = async (quantization: Quantization, quantized: QdqGraph): Promise<Quantization> => {
    const { recipe } = quantization
    const judge = new Judge(quantization)
    const trials = new Trials(quantization, judge, rebuild, finish)
    let checked = await judged(quantization, quantized, judge)
    const { measured } = checked
    if (recipe.check === 'repair' && measured.outputs.some(isPoor)) {
      const pins = await new RepairSearch(checked, trials).run(measured)
      if (pins.size > 0) {
        const repaired = await finish(
          await rebuild({ ...quantization, pins: explained(pins, measured, await trials.quick(pins)) }),
        )
        const after = repaired.quantized && (await judged(repaired, repaired.quantized, judge))
        if (after && worst(after.measured.outputs) > worst(measured.outputs)) checked = after
      }
    }
    const warnings = await warningsOf(checked, trials)
    return { ...checked, warnings: [...checked.warnings, ...warnings] }
  }
  return async (quantization) => {
    const { recipe, quantized, samples } = quantization
    if (recipe.check === 'off' || !quantized || samples.length === 0) return quantization
    try {
      return await check(quantization, quantized)
    } catch (error) {
      // Both models at once may be too large for a machine on which each of them runs.
      if (!(error instanceof OctavoError) || error.code !== 'ERR_LIMIT') throw error
      const warning = `the result could not be checked: ${error.message}`
      return { ...quantization, warnings: [...quantization.warnings, warning] }
    }
  }
}

/** The pins with the figures as their reason. */
function explained(pins: Pins, before: Measurement, after: readonly OutputQuality[]): Pins {
  const figures = `${worst(before.outputs).toFixed(1)} dB on the samples, ${worst(after).toFixed(1)} dB with ${pins.size === 1 ? 'it' : `${pins.size} nodes`} in float`
  return new Map([...pins.keys()].map((name) => [name, `ruins an output in integers: ${figures}`]))
}

/** The quantization with those of its corrections that help, and its errors. */
async function judged(quantization: Quantization, quantized: QdqGraph, judge: Judge) {
  const measured = await measure(quantization, quantized, judge)
  const better = await helpfulCorrections(quantization, judge, measured.outputs)
  if (better === quantization || !better.quantized) return { ...quantization, measured }
  return { ...better, measured: await measure(better, better.quantized, judge) }
}
