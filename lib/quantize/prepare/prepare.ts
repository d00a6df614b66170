/** The float graph as the engine would run it: constants folded, scales folded into weights, patterns recognized. */
import { prepare } from '../../calibrate/engine.js'
import type { Method } from '../quantization.js'
import { refuseQuantized } from './refuse.js'

/** The graph without what quantization must not see, and the types of all its values. */
export const prepareModel: Method = async (quantization) => {
  refuseQuantized(quantization.graph)
  const { graph, info } = await prepare(quantization.graph, quantization.signal)
  return { ...quantization, graph, inference: info }
}
