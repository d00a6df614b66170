/** Runs the float model on the samples, and observes what the later stages ask for. */
import { BINS, collect, inputsOf } from '../../calibrate/collect.js'
import { type Observation, openEngine } from '../../calibrate/engine.js'
import { DEFAULT_MOMENTUM } from '../../calibrate/observers/moving-average.js'
import { Reservoir } from '../../calibrate/reservoir.js'
import { addedBias } from '../assign/added-bias.js'
import { outputChannelAxis } from '../assign/fusions.js'
import type { Method, Quantization } from '../quantization.js'

/** Samples that are held for bias correction, and the bytes they may take. */
const HELD_SAMPLES = 32
const HELD_BYTES = 32 * 2 ** 20

export const calibrate: Method = async (quantization) => {
  const { graph, inference, recipe, data, onProgress, signal, atEnd } = quantization
  const observe = observationsOf(quantization)
  const reservoir = recipe.biasCorrection ? new Reservoir(HELD_SAMPLES, HELD_BYTES) : undefined
  const { observer, momentum = DEFAULT_MOMENTUM } = recipe.activations
  const engine = await openEngine(graph, { observe, bins: BINS, signal })
  atEnd(() => engine.release())
  const collected = await collect(engine, inputsOf(graph, inference), data, {
    observe,
    reservoir,
    signal,
    momentum: observer === 'moving-average' ? momentum : undefined,
    onSample: (done, total) => onProgress({ phase: 'calibrate', done, total }),
  })
  return { ...quantization, engine, collected, samples: reservoir?.samples() ?? [] }
}

/** The values whose ranges are asked for, and the results of products, whose channel means are. */
export function observationsOf({
  graph,
  inference,
  recipe,
  values,
  fusions,
}: Pick<Quantization, 'graph' | 'inference' | 'recipe' | 'values' | 'fusions'>): Observation[] {
  const axes = new Map<string, number>(values.observed.map((value) => [value, -1]))
  for (const fusion of recipe.biasCorrection ? fusions.integer : []) {
    if (fusion.rule.kind !== 'weighted' || fusion.weights === undefined) continue
    if (fusion.rule.bias === undefined && !addedBias(graph, inference, fusion)) continue
    const value = fusion.results[0] ?? ''
    const axis = outputChannelAxis(inference, fusion.node, fusion.rule)
    if (typeof inference.types.get(value)?.shape?.[axis] === 'number') axes.set(value, axis)
  }
  return [...axes].map(([value, channelAxis]) => ({ value, channelAxis }))
}
