/** What is odd about calibration data as a whole: too few samples, equal ones, ranges that do not fit each other. */
import type { Pace } from '../event-loop.js'
import { sameTensor } from '../graph/tensor.js'
import type { EngineTensor } from './engine.js'
import { copyOf, type Sample } from './reservoir.js'

/** Fewer samples show little of what a value can be. */
const FEW = 8
/** Inputs of one kind, preprocessed alike, rarely differ by more; the reach of fewer elements than these says little. */
const APART = 10
const LEAST_ELEMENTS = 256
/** Elements between two looks at the clock. */
const SLICE = 1 << 18

/** The shortest and the longest reach of an input over the samples that are not 0. */
interface Reach {
  readonly least: number
  readonly most: number
}

export class SampleWatch {
  private samples = 0
  private rows = 0
  /** The first sample, while all others equal it. */
  private first: Sample | undefined
  private readonly reaches = new Map<string, Reach>()

  /** Looks at the next sample; its tensors are not kept. */
  async add(sample: Sample, pace: Pace): Promise<void> {
    if (this.samples === 0) this.first = copyOf(sample)
    else if (this.first && !isSame(sample, this.first)) this.first = undefined
    this.samples++
    this.rows += rowsOf(sample)
    for (const [name, tensor] of Object.entries(sample)) {
      const isTelling = tensor.dtype === 'float32' && tensor.data.byteLength >= 4 * LEAST_ELEMENTS
      const reach = isTelling ? await reachOf(tensor, pace) : 0
      if (reach === 0) continue
      const { least, most } = this.reaches.get(name) ?? { least: reach, most: reach }
      this.reaches.set(name, { least: Math.min(least, reach), most: Math.max(most, reach) })
    }
  }

  /** A sentence each. */
  warnings(): string[] {
    const warnings: string[] = []
    if (this.rows < FEW) {
      const count = this.rows === 1 ? 'only 1 sample calibrates' : `only ${this.rows} samples calibrate`
      warnings.push(`${count}; expected at least ${FEW} that vary as inputs do in use`)
    }
    if (this.samples > 1 && this.first) {
      warnings.push(`all ${this.samples} samples are equal; expected samples that vary as inputs do in use`)
    }
    for (const [name, { least, most }] of this.reaches) {
      if (most <= APART * least) continue
      const [near, far] = [least, most].map((x) => Number(x.toPrecision(3)))
      warnings.push(
        `samples of input '${name}' reach from ${near} to ${far}, which is ${Math.round(most / least)} times as far; expected all of them to be preprocessed alike`,
      )
    }
    return warnings
  }
}

/** What a batch counts for: the first size that its tensors with rows share. */
function rowsOf(sample: Sample): number {
  const firsts = Object.values(sample).flatMap(({ dims }) => (dims.length > 1 ? [dims[0] as number] : []))
  return firsts.length === 0 ? 1 : Math.max(1, Math.min(...firsts))
}

/** The largest finite magnitude. */
async function reachOf({ data }: EngineTensor, pace: Pace): Promise<number> {
  const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
  let reach = 0
  for (let start = 0; start < values.length; start += SLICE) {
    const end = Math.min(values.length, start + SLICE)
    for (let i = start; i < end; ++i) {
      const magnitude = Math.abs(values[i] as number)
      if (magnitude > reach && magnitude < Number.POSITIVE_INFINITY) reach = magnitude
    }
    await pace.breathe()
  }
  return reach
}

function isSame(a: Sample, b: Sample): boolean {
  return Object.entries(a).every(([name, tensor]) => {
    const other = b[name]
    return other !== undefined && sameTensor(tensor, other)
  })
}
