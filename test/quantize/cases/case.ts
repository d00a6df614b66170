/** What a case is: a graph that quantization is known to harm, samples of it, and what is asked of the result. */
import type { ModelBuilder } from '../../helpers/builder.js'
import type { Random } from '../../helpers/random.js'
import type { Feeds } from './trial.js'

export interface QuantizationCase {
  readonly name: string
  /** SQNR in dB that every output must reach on samples that did not calibrate, with default options. */
  readonly bar: number
  /** Default 17. */
  readonly opset?: number
  /** Of weights and samples; default 1. */
  readonly seed?: number
  /** How many samples calibrate; default 32. */
  readonly samples?: number
  /** Adds nodes, inputs and outputs to an empty model. */
  model(m: ModelBuilder): void
  /** The feeds of sample number `index`. */
  sample(random: Random, index: number): Feeds
}
