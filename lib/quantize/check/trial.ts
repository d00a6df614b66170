/** What the outputs would be with some more nodes in float. */
import type { Pins } from '../assign/pins.js'
import type { Method, Quantization } from '../quantization.js'
import type { Judge } from './judge.js'
import { measure } from './measure.js'
import type { Measurement } from './measurement.js'
import type { OutputQuality } from './output-tally.js'
import type { Suspect } from './suspects.js'

export class Trials {
  private runs = 0
  private readonly known = new Map<string, readonly OutputQuality[]>()

  /** `rebuild`: from the assignment to the written graph; `finish`: what follows it. */
  constructor(
    private readonly quantization: Quantization,
    private readonly judge: Judge,
    private readonly rebuild: Method,
    private readonly finish: Method,
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

  /** The quantization with these nodes in float, and its errors. */
  async measured(
    pins: Pins,
  ): Promise<{ readonly quantization: Quantization; readonly measured: Measurement } | undefined> {
    const quantization = await this.rebuilt(pins)
    const { quantized } = quantization
    return quantized && { quantization, measured: await measure(quantization, quantized, this.judge) }
  }

  private async rebuilt(pins: Pins): Promise<Quantization> {
    const { onProgress } = this.quantization
    onProgress({ phase: 'repair', done: ++this.runs, total: undefined })
    return this.rebuild({ ...this.quantization, pins, onProgress: () => {} })
  }

  private qualityOf({ quantized, nested }: Quantization): Promise<readonly OutputQuality[]> {
    return this.judge.of(quantized?.graph ?? nested)
  }
}

/** The pins, and the nodes of these suspects. */
export function withPins(pins: Pins, more: readonly Suspect[]): Pins {
  return new Map([
    ...pins,
    ...more.map(({ node }): [string, string] => [node.name, 'ruins an output in integers']),
  ])
}
