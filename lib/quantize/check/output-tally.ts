/** How well an output survived: sums over samples, which are forgotten. */
import type { EngineTensor } from '../../calibrate/engine.js'
import type { Pace } from '../../event-loop.js'
import { argmaxRows, MetricSums } from '../../statistics/metrics.js'

export interface OutputQuality {
  readonly name: string
  /** In dB, over all samples; infinite where nothing differs. */
  readonly sqnr: number
  /** Rows along the last axis, and those whose largest element stayed where it was; 0 rows for outputs of other ranks. */
  readonly rows: number
  readonly agreeing: number
  /** Share of the channels that vary in float and are all one number in integers, 0 to 1. */
  readonly lost: number
}

/** Channels are looked at one by one in outputs up to this size. */
const MOST_ELEMENTS = 1 << 20
/** So many elements of a channel must be equal before it counts as lost. */
const LEAST_ELEMENTS = 16

export class OutputTally {
  private readonly sums = new MetricSums()
  private rows = 0
  private agreeing = 0
  private channels: ChannelRanges | undefined

  constructor(private readonly name: string) {}

  async add(float: EngineTensor, quantized: EngineTensor, pace: Pace): Promise<void> {
    const [x, y] = [floats(float), floats(quantized)]
    await this.sums.add(x, y, pace)
    const columns = float.dims.at(-1) ?? 1
    if (float.dims.length >= 1 && float.dims.length <= 3 && columns >= 2) {
      const [p, q] = [argmaxRows(x, columns), argmaxRows(y, columns)]
      this.rows += p.length
      this.agreeing += p.filter((best, i) => best === q[i]).length
    }
    const channels = float.dims.length > 1 ? (float.dims[1] as number) : 1
    if (x.length > MOST_ELEMENTS || channels === 0) return
    this.channels ??= new ChannelRanges(channels)
    const inner = float.dims.slice(2).reduce((n, d) => n * d, float.dims.length > 1 ? 1 : x.length)
    this.channels.add(x, y, inner)
  }

  result(): OutputQuality {
    const { sqnr, elements } = this.sums.result()
    return {
      name: this.name,
      sqnr:
        sqnr === null || elements === 0 ? Number.POSITIVE_INFINITY : Number.isNaN(sqnr) ? -Infinity : sqnr,
      rows: this.rows,
      agreeing: this.agreeing,
      lost: this.channels?.lost() ?? 0,
    }
  }
}

/** The range of every channel (axis 1) of an output, before and after. */
class ChannelRanges {
  private readonly before: Extremes
  private readonly after: Extremes
  private elements = 0

  constructor(private readonly channels: number) {
    this.before = new Extremes(channels)
    this.after = new Extremes(channels)
  }

  /** `inner`: elements of a channel that lie together. */
  add(x: Float32Array, y: Float32Array, inner: number): void {
    this.elements += x.length / this.channels
    this.before.add(x, inner)
    this.after.add(y, inner)
  }

  lost(): number {
    if (this.elements < LEAST_ELEMENTS) return 0
    let lost = 0
    for (let c = 0; c < this.channels; ++c) if (this.before.varies(c) && !this.after.varies(c)) ++lost
    return lost / this.channels
  }
}

class Extremes {
  private readonly lows: Float64Array
  private readonly highs: Float64Array

  constructor(channels: number) {
    this.lows = new Float64Array(channels).fill(Number.POSITIVE_INFINITY)
    this.highs = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY)
  }

  add(values: Float32Array, inner: number): void {
    const { lows, highs } = this
    for (let start = 0, c = 0; start < values.length; start += inner, c = c + 1 === lows.length ? 0 : c + 1) {
      for (let i = start; i < start + inner; ++i) {
        const v = values[i] as number
        if (v < (lows[c] as number)) lows[c] = v
        if (v > (highs[c] as number)) highs[c] = v
      }
    }
  }

  varies(channel: number): boolean {
    return (this.highs[channel] as number) > (this.lows[channel] as number)
  }
}

function floats({ data }: EngineTensor): Float32Array {
  return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
}
