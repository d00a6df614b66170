/** The float graph as the engine would run it: constants folded, scales folded into weights, patterns recognized. */
import { inputsOf } from '../../calibrate/collect.js'
import { emptyDataError, peek } from '../../calibrate/data.js'
import { learnTypes, openValues, prepare } from '../../calibrate/engine.js'
import { checkFeeds } from '../../calibrate/feeds.js'
import { mapGraphsDeep } from '../../graph/subgraph.js'
import type { Method } from '../quantization.js'
import { refuseQuantized } from './refuse.js'
import { storedScales, withFloatWeights } from './stored-weights.js'

/** The graph without what quantization must not see, and the types of all its values. */
export const prepareModel: Method = async (quantization) => {
  refuseQuantized(quantization.graph)
  const float = mapGraphsDeep(quantization.graph, withFloatWeights)
  const { graph, info } = await prepare(float, quantization.signal)
  return { ...quantization, graph, inference: info, storedScales: storedScales(quantization.graph) }
}

/** Ranks and sizes that only feeds decide are those of the first sample. */
export const learnOpenTypes: Method = async (quantization) => {
  const { graph, inference, data, pace, signal } = quantization
  if (openValues(inference).length === 0) return quantization
  const { first, source } = await peek(data, signal)
  if (!first) throw emptyDataError()
  const feeds = await checkFeeds(first, 0, inputsOf(graph, inference), pace)
  return { ...quantization, data: source, inference: await learnTypes(graph, inference, feeds, signal) }
}
