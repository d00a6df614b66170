/** Runs the float and the quantized graph together on held samples: the error of every quantized value, and of the outputs. */
import { readAll } from '../../calibrate/collect.js'
import { type EngineTensor, openEngine } from '../../calibrate/engine.js'
import type { Sample } from '../../calibrate/reservoir.js'
import { momentsOf } from '../../statistics/summary.js'
import type { Quantization } from '../quantization.js'
import type { QdqGraph } from '../write/qdq-graph.js'
import { comparedValues, errorsOf, seenOf } from './errors.js'
import { jointGraph, named } from './joint.js'
import type { Judge } from './judge.js'
import type { Measurement } from './measurement.js'
import { OutputTally } from './output-tally.js'

/** Of the quantized graph; the judge learns what the float model gives. */
export async function measure(quantization: Quantization, qdq: QdqGraph, judge: Judge): Promise<Measurement> {
  const { nested, signal, pace, onProgress } = quantization
  const compared = comparedValues(quantization)
  const joint = jointGraph(nested, qdq, compared)
  const unseen = [...compared].filter((name) => !momentsOf(seenOf(quantization, name)))
  const observe = [...joint.observe, ...unseen.map((value) => ({ kind: 'moments', value }) as const)]
  const tallies = judge.outputs.map((name) => ({ name, tally: new OutputTally(name) }))
  const wanted = judge.outputs.flatMap((name) => [name, named.quantized(name)])
  const engine = await openEngine(joint.graph, { observe, signal })
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
    const statistics = await readAll(engine, observe, pace)
    const values = errorsOf(quantization, qdq, compared, statistics)
    return {
      samples: judge.samples.length,
      outputs: tallies.map(({ tally }) => tally.result()),
      values,
    }
  } finally {
    engine.release()
  }
}
