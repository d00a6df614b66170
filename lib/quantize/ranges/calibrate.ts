/** Runs the float model on the samples, and observes what the later stages ask for. */
import { collect, inputsOf } from '../../calibrate/collect.js'
import { openEngine } from '../../calibrate/engine.js'
import { Reservoir } from '../../calibrate/reservoir.js'
import { SampleWatch } from '../../calibrate/sample-watch.js'
import { hasMoments, type Observation, type StatisticRequest } from '../../statistics/observation.js'
import { observers } from '../../statistics/observers/index.js'
import { addedBias } from '../assign/added-bias.js'
import { outputChannelAxis } from '../assign/fusions.js'
import type { Method, Quantization, ValueFormat } from '../quantization.js'

/** Samples that are held for the stages that compute with them, and the bytes they may take. */
const HELD_SAMPLES = 32
const HELD_BYTES = 32 * 2 ** 20

export const calibrate: Method = async (quantization) => {
  const { nested, inference, recipe, data, onProgress, signal } = quantization
  if (!data) return quantization
  const sums = recipe.biasCorrection ? layerSums(quantization) : []
  const observe = [...rangeObservations(quantization), ...otherMoments(quantization, sums)]
  const watch = new SampleWatch()
  const reservoir = new Reservoir(HELD_SAMPLES, HELD_BYTES)
  const engine = await openEngine(nested, { observe: [...observe, ...sums], signal })
  try {
    const collected = await collect(engine, inputsOf(nested, inference), data, {
      observe,
      observeHeld: sums,
      reservoir,
      watch,
      signal,
      onSample: (done, total) => onProgress({ phase: 'calibrate', done, total }),
    })
    const warnings = [...quantization.warnings, ...watch.warnings()]
    return { ...quantization, collected, samples: reservoir.held(), warnings }
  } finally {
    engine.release()
  }
}

type Assigned = Pick<Quantization, 'graph' | 'inference' | 'values' | 'valueFormats' | 'fusions'>

/** What the observers need of the values whose ranges they find, and their moments, which the report shows. */
export function rangeObservations({ graph, inference, values, valueFormats }: Assigned): Observation[] {
  const fixed = [...values.fixed.keys()].map((value): Observation => ({ kind: 'moments', value }))
  const observed = values.observed.flatMap((value) => {
    const { settings } = valueFormats.get(value) as ValueFormat
    const needs = observers[settings.observer].needs(settings)
    const all: readonly StatisticRequest[] = needs.some(hasMoments) ? needs : [{ kind: 'moments' }, ...needs]
    // Where nothing says which axis the channels are: the second, as ONNX has them, or the last of a matrix.
    const rank = (inference.types.get(value) ?? graph.types.get(value))?.shape?.length ?? 0
    return all.map((request) => ({ ...request, value, channelAxis: rank > 2 ? 1 : rank - 1 }))
  })
  return [...fixed, ...observed]
}

/** Sums by channel in every run, of the results of layers whose biases can be corrected. */
function layerSums({ graph, inference, fusions }: Assigned): Observation[] {
  const observations = new Map<string, Observation>()
  for (const fusion of fusions.integer) {
    if (fusion.rule.kind !== 'weighted' || fusion.weights === undefined) continue
    if (fusion.rule.bias === undefined && !addedBias(graph, inference, fusion)) continue
    const value = fusion.results[0] ?? ''
    const channelAxis = outputChannelAxis(inference, fusion.node, fusion.rule)
    if (typeof inference.types.get(value)?.shape?.[channelAxis] !== 'number') continue
    observations.set(value, { kind: 'channelSums', perRun: true, value, channelAxis })
  }
  return [...observations.values()]
}

/** Moments of layers' results whose ranges nobody asks for: the correction must know how far they reach. */
function otherMoments({ values }: Assigned, sums: readonly Observation[]): Observation[] {
  const known = new Set([...values.observed, ...values.fixed.keys()])
  return sums.filter(({ value }) => !known.has(value)).map(({ value }) => ({ kind: 'moments', value }))
}
