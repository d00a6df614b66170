/** Numbers of a fixed seed, as models and samples of tests need them. */
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { Tensor } from '../../lib/session/tensor.js'

export class Random {
  private readonly next: () => number

  constructor(seed: number) {
    this.next = mulberry32(seed)
  }

  /** In [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * this.next()
  }

  /** An integer from low to high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)] as T
  }

  /** Normally distributed (Box and Muller 1958). */
  normal(deviation = 1, mean = 0): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.next())
  }

  /** A float32 tensor of one number per element. */
  tensor(dims: readonly number[], element: (index: number) => number = () => this.normal()): Tensor {
    return new Tensor(
      'float32',
      Float32Array.from({ length: sizeOf(dims) }, (_, i) => element(i)),
      dims,
    )
  }

  int64(dims: readonly number[], element: (index: number) => number): Tensor {
    return new Tensor(
      'int64',
      Array.from({ length: sizeOf(dims) }, (_, i) => element(i)),
      dims,
    )
  }

  bool(dims: readonly number[], element: (index: number) => boolean): Tensor {
    return new Tensor(
      'bool',
      Array.from({ length: sizeOf(dims) }, (_, i) => element(i)),
      dims,
    )
  }
}

const sizeOf = (dims: readonly number[]) => dims.reduce((n, d) => n * d, 1)
