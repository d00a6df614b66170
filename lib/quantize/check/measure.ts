/** Runs the float and the quantized graph together on held samples: the error of every quantized value, and of the outputs. */
import { readAll } from '../../calibrate/collect.js'
import { type EngineTensor, openEngine } from '../../calibrate/engine.js'
import type { Sample } from '../../calibrate/reservoir.js'
import { definedNames } from '../../graph/subgraph.js'
import { momentsOf } from '../../statistics/summary.js'
import type { Quantization } from '../quantization.js'
import type { QdqGraph } from '../write/qdq-graph.js'
import { jointGraph, named } from './joint.js'
import type { Judge } from './judge.js'
import type { Measurement, ValueError } from './measurement.js'
import { OutputTally } from './output-tally.js'

/** Of the quantized graph; the judge learns what the float model gives. */
export async function measure(quantization: Quantization, qdq: QdqGraph, judge: Judge): Promise<Measurement> {
  const { nested, signal, pace, onProgress } = quantization
  const values = comparedValues(quantization)
  const joint = jointGraph(nested, qdq, values)
  const tallies = judge.outputs.map((name) => ({ name, tally: new OutputTally(name) }))
  const wanted = judge.outputs.flatMap((name) => [name, named.quantized(name)])
  const engine = await openEngine(joint.graph, { observe: joint.observe, signal })
  try {
    const expected: Sample[] = []
    for (const { sample } of judge.samples) {
      const results = await engine.run(sample, wanted)
      for (const { name, tally } of tallies) {
        const [float, quantized] = [results[name], results[named.quantized(name)]]
        if (float && quantized) await tally.add(float, quantized, pace)
      }
      expected.push(Object.fromEntries(judge.outputs.map((name) => [name, results[name] as EngineTensor])))
      onProgress({ phase: 'check', done: expected.length, total: judge.samples.length })
    }
    judge.know(expected)
    const statistics = await readAll(engine, joint.observe, pace)
    const squares = (name: string) => momentsOf(statistics.get(name) ?? {})
    const errors = new Map<string, ValueError>()
    for (const name of values) {
      const seen = squares(name)
      const error = squares(named.error(name))
      if (!seen || !error || seen.count === 0) continue
      const rounding = squares(named.rounding(name))
      const power = variance(seen)
      errors.set(name, {
        total: error.nonfinite > seen.nonfinite ? Number.POSITIVE_INFINITY : error.sumOfSquares / power,
        rounding: rounding && rounding.sumOfSquares / power,
      })
    }
    return {
      samples: judge.samples.length,
      outputs: tallies.map(({ tally }) => tally.result()),
      values: errors,
    }
  } finally {
    engine.release()
  }
}

/** What integer nodes read and make, but for what bodies make anew each time that they run. */
function comparedValues({ nested, fusions }: Quantization): ReadonlySet<string> {
  const own = definedNames(nested)
  const values = new Set<string>()
  for (const { node, inputs, results } of fusions.integer) {
    for (const name of [...inputs.map((i) => node.inputs[i] ?? ''), ...results]) {
      if (own.has(name) && !nested.constants.has(name)) values.add(name)
    }
  }
  return values
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
