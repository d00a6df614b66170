/** The float graph as the engine would run it: constants folded, scales folded into weights, patterns recognized. */
import { inputsOf } from '../../calibrate/collect.js'
import { emptyDataError, peek } from '../../calibrate/data.js'
import { learnTypes, openValues, prepare } from '../../calibrate/engine.js'
import { checkFeeds, isEmptyBatch } from '../../calibrate/feeds.js'
import { mapGraphsDeep } from '../../graph/subgraph.js'
import { inferGraph } from '../../ops/core/infer.js'
import type { Method } from '../quantization.js'
import { withoutFakeQuantization } from './learned-ranges.js'
import { refuseQuantized } from './refuse.js'
import { storedScales, withFloatWeights } from './stored-weights.js'

/** The graph without what quantization must not see, and the types of all its values. */
export const prepareModel: Method = async (quantization) => {
  refuseQuantized(quantization.graph)
  const float = mapGraphsDeep(quantization.graph, withFloatWeights)
  const prepared = await prepare(float, quantization.signal)
  const { graph, ranges } = withoutFakeQuantization(prepared.graph)
  if (ranges.size === 0 && graph === prepared.graph) {
    return {
      ...quantization,
      graph,
      inference: prepared.info,
      storedScales: storedScales(quantization.graph),
    }
  }
  const scales = [...storedScales(quantization.graph), ...storedScales(graph)]
  const weights = mapGraphsDeep(graph, withFloatWeights)
  const inference = inferGraph(weights, { partial: true })
  return { ...quantization, graph: weights, inference, storedScales: scales, learnedRanges: ranges }
}

/** Ranks and sizes that only feeds decide are those of the first sample. */
export const learnOpenTypes: Method = async (quantization) => {
  const { graph, inference, data, pace, signal } = quantization
  if (!data || openValues(inference).length === 0) return quantization
  const inputs = inputsOf(graph, inference)
  const { first, source } = await peek(data, (feeds) => isEmptyBatch(feeds, inputs), signal)
  if (!first) throw emptyDataError()
  const feeds = await checkFeeds(first, 0, inputs, pace)
  return { ...quantization, data: source, inference: await learnTypes(graph, inference, feeds, signal) }
}
