/** What the outputs would be with some more nodes in float: quantized anew, without correction, and run on the checked samples. */
import { type EngineTensor, openEngine } from '../../calibrate/engine.js'
import type { Pins } from '../assign/pins.js'
import type { Method, Quantization } from '../quantization.js'
import { checkedSamples } from './measure.js'
import { type OutputQuality, OutputTally } from './output-tally.js'
import type { Suspect } from './suspects.js'

type Outputs = Readonly<Record<string, EngineTensor>>

export class Trials {
  private expected: readonly Outputs[] | undefined
  private runs = 0
  private readonly known = new Map<string, readonly OutputQuality[]>()

  /** `rebuild`: from the assignment to the written graph; `finish`: what follows it. */
  constructor(
    private readonly quantization: Quantization,
    private readonly rebuild: Method,
    private readonly finish: Method,
    private readonly outputs: readonly string[],
  ) {}

  /** The outputs with these nodes in float, before anything is corrected. */
  async quick(pins: Pins): Promise<readonly OutputQuality[]> {
    const key = [...pins.keys()].sort().join('\n')
    const known = this.known.get(key) ?? (await this.qualityOf(await this.rebuilt(pins)))
    this.known.set(key, known)
    return known
  }

  /** The outputs as they would be handed over. */
  async whole(pins: Pins): Promise<readonly OutputQuality[]> {
    return this.qualityOf(await this.finish(await this.rebuilt(pins)))
  }

  private async rebuilt(pins: Pins): Promise<Quantization> {
    const { onProgress } = this.quantization
    onProgress({ phase: 'repair', done: ++this.runs, total: undefined })
    return this.rebuild({ ...this.quantization, pins, onProgress: () => {} })
  }

  private async qualityOf({ quantized, graph }: Quantization): Promise<readonly OutputQuality[]> {
    const { signal, pace } = this.quantization
    this.expected ??= await this.outputsOf(this.quantization.graph)
    const made = await this.outputsOf(quantized?.graph ?? graph)
    const tallies = this.outputs.map((name) => ({ name, tally: new OutputTally(name) }))
    for (const [i, expected] of this.expected.entries()) {
      for (const { name, tally } of tallies) {
        signal?.throwIfAborted()
        await tally.add(expected[name] as EngineTensor, made[i]?.[name] as EngineTensor, pace)
      }
    }
    return tallies.map(({ tally }) => tally.result())
  }

  private async outputsOf(graph: Quantization['graph']): Promise<readonly Outputs[]> {
    const { signal } = this.quantization
    const engine = await openEngine(graph, { signal })
    try {
      const results: Outputs[] = []
      for (const { sample } of checkedSamples(this.quantization)) {
        results.push(await engine.run(sample, this.outputs))
      }
      return results
    } finally {
      engine.release()
    }
  }
}

/** The pins, and the nodes of these suspects. */
export function withPins(pins: Pins, more: readonly Suspect[]): Pins {
  const reason = 'in integers it ruined an output on the samples'
  return new Map([...pins, ...more.map(({ node }): [string, string] => [node.name, reason])])
}
