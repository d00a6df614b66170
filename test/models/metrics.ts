/** How far two tensors are from each other. */
import type { Result } from './reference.js'

/** The sigmoid of onnxruntime is off by up to this much: optimised and unoptimised, it differs from itself by it. */
const ABSOLUTE = 2 ** -22

/** Elements that differ by more than 1e-3 of their value and 1e-5 of the largest; `worst`: largest difference over the largest value. */
export function compareFloats(
  got: Result | undefined,
  wanted: Result,
): { bad: number; total: number; worst: number } {
  const total = wanted.data.length
  const same = got?.type === wanted.type && got.dims.join() === wanted.dims.join()
  if (!got || !same) return { bad: total, total, worst: Number.POSITIVE_INFINITY }
  let largest = 0
  for (let i = 0; i < total; i++) largest = Math.max(largest, Math.abs(Number(wanted.data[i])))
  let [bad, worst] = [0, 0]
  for (let i = 0; i < total; i++) {
    const b = Number(wanted.data[i])
    const difference = Math.abs(Number(got.data[i]) - b)
    if (!(difference <= 1e-3 * Math.abs(b) + 1e-5 * largest + ABSOLUTE)) bad++
    worst = Math.max(worst, difference / (largest || 1))
  }
  return { bad, total, worst }
}

/** Cosine of two streams of tensors, each as one long vector. */
export class CosineSum {
  #dot = 0
  #aa = 0
  #bb = 0

  add(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): void {
    for (let i = 0; i < b.length; i++) {
      const [x, y] = [Number(a[i]), Number(b[i])]
      this.#dot += x * y
      this.#aa += x * x
      this.#bb += y * y
    }
  }

  get value(): number {
    return this.#aa === this.#bb && this.#aa === 0 ? 1 : this.#dot / Math.sqrt(this.#aa * this.#bb)
  }
}

/** The largest element of each row of the last axis. */
export function classes({ data, dims }: Result): number[] {
  const columns = dims[dims.length - 1] ?? 1
  return Array.from({ length: data.length / columns }, (_, row) => {
    let best = 0
    for (let k = 1; k < columns; k++) {
      if (Number(data[row * columns + k]) > Number(data[row * columns + best])) best = k
    }
    return best
  })
}
