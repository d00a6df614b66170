/** Runs the float and the quantized graph together on held samples: the error of every quantized value, and of the outputs. */
import { readAll } from '../../calibrate/collect.js'
import { openEngine } from '../../calibrate/engine.js'
import type { HeldSample } from '../../calibrate/reservoir.js'
import { momentsOf } from '../../statistics/summary.js'
import type { Quantization } from '../quantization.js'
import type { QdqGraph } from '../write/qdq-graph.js'
import { jointGraph, named } from './joint.js'
import type { Measurement, ValueError } from './measurement.js'
import { OutputTally } from './output-tally.js'

/** A quarter of the samples that calibrated, so that checking costs little beside it; where these are few, all. */
const LEAST_SAMPLES = 8

export function checkedSamples({ samples, collected }: Quantization): readonly HeldSample[] {
  return samples.slice(0, Math.max(LEAST_SAMPLES, Math.ceil(collected.samples / 4)))
}

/** `qdq`: the quantized graph of this quantization, or one made of it. */
export async function measure(quantization: Quantization, qdq: QdqGraph): Promise<Measurement> {
  const { graph, inference, fusions, signal, pace, onProgress } = quantization
  const values = new Set<string>()
  for (const { node, inputs, results } of fusions.integer) {
    for (const i of inputs) values.add(node.inputs[i] ?? '')
    for (const name of results) values.add(name)
  }
  const inner = [...values].filter((name) => !graph.constants.has(name))
  const joint = jointGraph(graph, qdq, inner)
  const samples = checkedSamples(quantization)
  const tallies = graph.outputs
    .filter((name) => inference.types.get(name)?.dtype === 'float32' && !graph.constants.has(name))
    .filter((name) => !graph.inputs.includes(name))
    .map((name) => ({ name, tally: new OutputTally(name) }))
  const wanted = tallies.flatMap(({ name }) => [name, named.quantized(name)])
  const engine = await openEngine(joint.graph, { observe: joint.observe, signal })
  try {
    for (const [i, { sample }] of samples.entries()) {
      const results = await engine.run(sample, wanted)
      for (const { name, tally } of tallies) {
        const [float, quantized] = [results[name], results[named.quantized(name)]]
        if (float && quantized) await tally.add(float, quantized, pace)
      }
      onProgress({ phase: 'check', done: i + 1, total: samples.length })
    }
    const statistics = await readAll(engine, joint.observe, pace)
    const squares = (name: string) => momentsOf(statistics.get(name) ?? {})
    const errors = new Map<string, ValueError>()
    for (const name of inner) {
      const seen = squares(name)
      const error = squares(named.error(name))
      if (!seen || !error || seen.count === 0) continue
      const rounding = squares(named.rounding(name))
      const signal2 = variance(seen)
      errors.set(name, {
        total: error.nonfinite > seen.nonfinite ? Number.POSITIVE_INFINITY : error.sumOfSquares / signal2,
        rounding: rounding && rounding.sumOfSquares / signal2,
      })
    }
    return { samples: samples.length, outputs: tallies.map(({ tally }) => tally.result()), values: errors }
  } finally {
    engine.release()
  }
}

/** Summed over all elements; of a value that does not vary, what it is. */
function variance({
  count,
  sum,
  sumOfSquares,
}: {
  readonly count: number
  readonly sum: number
  readonly sumOfSquares: number
}): number {
  const centred = sumOfSquares - (sum * sum) / count
  return Math.max(centred, 1e-9 * sumOfSquares, Number.MIN_VALUE)
}
