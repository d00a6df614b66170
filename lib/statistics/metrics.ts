/** How far two series of tensors are apart; sums only, so that samples can be forgotten. */
import type { Pace } from '../event-loop.js'

const SLICE = 1 << 17

/** How far a tensor y' is from the float tensor y, over all samples. */
export interface Metrics {
  /** Elements compared, of all samples together. */
  readonly elements: number
  /** Cosine of the angle between y and y', all samples as one vector: -1 to 1; 1 where both are 0 everywhere. */
  readonly cosine: number
  /** Signal to quantization noise in dB, 20 log10(|y| / |y - y'|), all samples as one vector; null where the two are equal. */
  readonly sqnr: number | null
  /** The largest |y - y'| of all elements, in the unit of y; NaN where one of the two is NaN. */
  readonly maxDifference: number
  /** The mean of |y - y'| over all elements, in the unit of y. */
  readonly meanDifference: number
}

export class MetricSums {
  private elements = 0
  private dot = 0
  private reference = 0
  private other = 0
  private error = 0
  private absolute = 0
  private largest = 0

  /** Adds a pair of tensors of equal length. */
  async add(reference: ArrayLike<number>, other: ArrayLike<number>, pace: Pace): Promise<void> {
    this.elements += reference.length
    for (let from = 0; from < reference.length; from += SLICE) {
      this.addSlice(reference, other, from, Math.min(reference.length, from + SLICE))
      await pace.breathe()
    }
  }

  private addSlice(reference: ArrayLike<number>, other: ArrayLike<number>, from: number, to: number): void {
    let [dot, aa, bb, dd, absolute, largest] = [0, 0, 0, 0, 0, this.largest]
    for (let i = from; i < to; ++i) {
      const a = reference[i] as number
      const b = other[i] as number
      const d = a === b ? 0 : Math.abs(a - b)
      dot += a * b
      aa += a * a
      bb += b * b
      dd += d * d
      absolute += d
      // NaN in one of them only must show.
      if (!(d <= largest)) largest = d
    }
    this.dot += dot
    this.reference += aa
    this.other += bb
    this.error += dd
    this.absolute += absolute
    this.largest = largest
  }

  result(): Metrics {
    const norms = Math.sqrt(this.reference) * Math.sqrt(this.other)
    const bothZero = this.reference === 0 && this.other === 0
    return {
      elements: this.elements,
      cosine: bothZero ? 1 : norms === 0 ? 0 : this.dot / norms,
      sqnr: this.error === 0 ? null : 10 * Math.log10(this.reference / this.error),
      maxDifference: this.largest,
      meanDifference: this.elements === 0 ? 0 : this.absolute / this.elements,
    }
  }
}

/** The position of the largest element of each row; the first of equals. */
export function argmaxRows(values: ArrayLike<number>, columns: number): number[] {
  const rows: number[] = []
  for (let start = 0; start + columns <= values.length; start += columns) {
    let best = 0
    for (let c = 1; c < columns; ++c) {
      if ((values[start + c] as number) > (values[start + best] as number)) best = c
    }
    rows.push(best)
  }
  return rows
}
