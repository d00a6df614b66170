/** Judges graphs by their float outputs on the checked samples; what the float model gives is computed once. */

import type { Collected } from '../../calibrate/collect.js'
import { type EngineTensor, openEngine } from '../../calibrate/engine.js'
import type { HeldSample, Sample } from '../../calibrate/reservoir.js'
import type { Graph } from '../../graph/graph.js'
import { seenOf } from '../../statistics/summary.js'
import type { Quantization } from '../quantization.js'
import { type OutputQuality, OutputTally } from './output-tally.js'

/** Small models are checked on so many samples; larger ones on a part of those that calibrated, so that it costs little beside that. */
const SMALL_ELEMENTS = 250_000
const SMALL_SAMPLES = 16
const LEAST_SAMPLES = 4
const PART = 1 / 8

export class Judge {
  /** Outputs that are float32 and computed. */
  readonly outputs: readonly string[]
  readonly samples: readonly HeldSample[]
  private expected: readonly Sample[] | undefined

  constructor(private readonly quantization: Quantization) {
    const { nested, inference, samples, collected } = quantization
    const given = new Set([...nested.inputs, ...nested.constants.keys()])
    this.outputs = nested.outputs.filter(
      (name) => inference.types.get(name)?.dtype === 'float32' && !given.has(name),
    )
    this.samples = samples.slice(0, countFor(collected))
  }

  /** What the float model gives for each sample, where a run told it by the way. */
  know(expected: readonly Sample[]): void {
    this.expected = expected
  }

  /** The outputs of a graph with the inputs and outputs of the float one. */
  async of(graph: Graph): Promise<readonly OutputQuality[]> {
    const { signal, pace } = this.quantization
    this.expected ??= await this.outputsOf(this.quantization.nested)
    const made = await this.outputsOf(graph)
    const tallies = this.outputs.map((name) => ({ name, tally: new OutputTally(name) }))
    for (const [i, expected] of this.expected.entries()) {
      for (const { name, tally } of tallies) {
        signal?.throwIfAborted()
        await tally.add(expected[name] as EngineTensor, made[i]?.[name] as EngineTensor, pace)
      }
    }
    return tallies.map(({ tally }) => tally.result())
  }

  private async outputsOf(graph: Graph): Promise<readonly Sample[]> {
    const { signal } = this.quantization
    const engine = await openEngine(graph, { signal })
    try {
      const results: Sample[] = []
      for (const { sample } of this.samples) results.push(await engine.run(sample, this.outputs))
      return results
    } finally {
      engine.release()
    }
  }
}

/** How many samples are checked: by what a sample is, not by the clock, so that results repeat. */
function countFor({ samples, statistics }: Collected): number {
  const elements = [...statistics.values()].reduce((n, s) => n + seenOf(s).count, 0) / Math.max(1, samples)
  return elements <= SMALL_ELEMENTS ? SMALL_SAMPLES : Math.max(LEAST_SAMPLES, Math.ceil(samples * PART))
}
